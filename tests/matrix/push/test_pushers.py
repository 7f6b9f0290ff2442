"""GET pushers and POST pushers/set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import PASSWORD, RunningNode
from tests.matrix.push.gateway import Gateway, has_pusher, pusher, pushkeys

DATA = {"url": "https://push.example/_matrix/push/v1/notify"}


async def test_a_pusher_is_set_shown_changed_and_removed(node: RunningNode, gateway: Gateway) -> None:
    hanako, taro = await node.users("hanako", "taro")
    assert (await hanako.get("v3/pushers")).body == {"pushers": []}
    await has_pusher(hanako, gateway, profile_tag="tag", data={"format": "event_id_only", "own": {"a": 1}})
    [shown] = (await hanako.get("v3/pushers"))["pushers"]
    wanted = pusher(gateway, profile_tag="tag", data={"format": "event_id_only", "own": {"a": 1}})
    assert {name: shown[name] for name in wanted} == wanted
    await has_pusher(hanako, gateway, lang="en")
    [shown] = (await hanako.get("v3/pushers"))["pushers"]
    assert shown["lang"] == "en"
    assert "profile_tag" not in shown
    assert await pushkeys(taro) == []
    gone = {"kind": None, "app_id": "org.example.app", "pushkey": "key"}
    assert (await hanako.post("v3/pushers/set", gone)).body == {}
    assert await pushkeys(hanako) == []
    assert (await hanako.post("v3/pushers/set", gone)).status == 200


async def test_another_user_takes_an_app_over_unless_they_share_it(node: RunningNode, gateway: Gateway) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await has_pusher(hanako, gateway)
    await has_pusher(taro, gateway, append=True)
    assert await pushkeys(hanako) == await pushkeys(taro) == ["key"]
    await has_pusher(hanako, gateway, pushkey="other")
    await has_pusher(taro, gateway)
    assert await pushkeys(hanako) == ["other"]
    assert await pushkeys(taro) == ["key"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kind": "email", "app_id": "m.email", "pushkey": "a@b.example"}, "M_INVALID_PARAM"),
        ({"kind": "pigeon"}, "M_INVALID_PARAM"), ({"kind": 1}, "M_BAD_JSON"),
        ({"kind": ...}, "M_MISSING_PARAM"), ({"app_id": ...}, "M_MISSING_PARAM"), ({"pushkey": ...}, "M_MISSING_PARAM"),
        ({"lang": ...}, "M_MISSING_PARAM"), ({"data": ...}, "M_MISSING_PARAM"), ({"data": {}}, "M_MISSING_PARAM"),
        ({"app_display_name": ...}, "M_MISSING_PARAM"), ({"device_display_name": ...}, "M_MISSING_PARAM"),
        ({"app_id": "a" * 65}, "M_INVALID_PARAM"), ({"app_id": ""}, "M_INVALID_PARAM"),
        ({"pushkey": "字" * 171}, "M_INVALID_PARAM"), ({"pushkey": ""}, "M_INVALID_PARAM"),
        ({"pushkey": "a\0b"}, "M_INVALID_PARAM"), ({"lang": "x" * 300}, "M_INVALID_PARAM"),
        ({"data": []}, "M_BAD_JSON"), ({"append": "yes"}, "M_BAD_JSON"), ({"profile_tag": 1}, "M_BAD_JSON"),
        ({"data": {**DATA, "format": "all"}}, "M_INVALID_PARAM"), ({"data": {**DATA, "x": 1.5}}, "M_BAD_JSON"),
        ({"data": {**DATA, "x": "y" * 9_000}}, "M_INVALID_PARAM"),
        *[({"data": {"url": url}}, "M_INVALID_PARAM") for url in (
            "http://push.example/_matrix/push/v1/notify", "https://push.example/", "https:///_matrix/push/v1/notify",
            "https://push.example/_matrix/push/v1/notify/", "ftp://push.example/_matrix/push/v1/notify",
            "https://a:b@push.example/_matrix/push/v1/notify", "https://push.example/_matrix/push/v1/notify#x",
            "http://10.0.0.1/_matrix/push/v1/notify", "https://[::1/_matrix/push/v1/notify", "x", 7,
            "https://push.example:99999/_matrix/push/v1/notify", "https://push.ex\nample/_matrix/push/v1/notify",
        )],
    ],
)
async def test_what_is_no_pusher_is_refused(node: RunningNode, changed: dict[str, Any], code: str) -> None:
    hanako = await node.user("hanako")
    body = {
        "kind": "http", "app_id": "app", "pushkey": "key", "lang": "ja", "app_display_name": "App",
        "device_display_name": "Phone", "data": DATA, **changed,
    }
    answer = await hanako.post("v3/pushers/set", {name: value for name, value in body.items() if value is not ...})
    assert answer.refusal == (400, code)
    assert await pushkeys(hanako) == []


async def test_nobody_has_pushers_without_end(node: RunningNode, gateway: Gateway) -> None:
    hanako = await node.user("hanako")
    for number in range(50):
        await has_pusher(hanako, gateway, pushkey=str(number))
    assert (await hanako.post("v3/pushers/set", pusher(gateway, pushkey="more"))).status == 400
    await has_pusher(hanako, gateway, pushkey="7")


async def test_without_a_token_there_are_no_pushers(node: RunningNode) -> None:
    assert (await node.ask("GET", "v3/pushers")).status == 401
    assert (await node.ask("POST", "v3/pushers/set", {})).status == 401


async def test_a_pusher_goes_with_its_device(node: RunningNode, gateway: Gateway) -> None:
    phone, tablet = await node.user("hanako"), await node.user("hanako")
    await has_pusher(phone, gateway, pushkey="phone")
    await has_pusher(tablet, gateway, pushkey="tablet")
    assert (await tablet.post("v3/logout")).status == 200
    assert await pushkeys(phone) == ["phone"]
    await node.restart()
    assert await pushkeys(phone) == ["phone"]


async def test_a_new_password_takes_the_pushers_of_other_devices(node: RunningNode, gateway: Gateway) -> None:
    phone, tablet = await node.user("hanako"), await node.user("hanako")
    await has_pusher(phone, gateway, pushkey="phone")
    await has_pusher(tablet, gateway, pushkey="tablet")
    auth = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "hanako"}, "password": PASSWORD}
    answer = await phone.post("v3/account/password", {"new_password": "plum-blossom-5", "auth": auth})
    assert answer.status == 200
    assert await pushkeys(phone) == ["phone"]


async def test_closed_accounts_have_no_pushers(node: RunningNode, gateway: Gateway) -> None:
    hanako = await node.user("hanako")
    await has_pusher(hanako, gateway)
    auth = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "hanako"}, "password": PASSWORD}
    assert (await hanako.post("v3/account/deactivate", {"auth": auth})).status == 200
    assert node.inside.services.pushers.of(hanako.user_id) == []
