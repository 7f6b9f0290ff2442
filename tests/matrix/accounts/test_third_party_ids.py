"""Mail addresses and telephone numbers: there are none, and each door says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.matrix.accounts.conftest import Node

MAIL = {"client_secret": "s3cret", "email": "hana@example.jp", "send_attempt": 1}
SMS = {"client_secret": "s3cret", "country": "JP", "phone_number": "09000000000", "send_attempt": 1}


async def test_there_are_none(node: Node) -> None:
    hana = await node.person("hana")
    assert await hana.get("v3/account/3pid") == (200, {"threepids": []})


@pytest.mark.parametrize(("path", "body", "status", "code"), [
    ("v3/register/email/requestToken", MAIL, 403, "M_THREEPID_DENIED"),
    ("v3/register/msisdn/requestToken", SMS, 403, "M_THREEPID_DENIED"),
    ("v3/account/password/email/requestToken", MAIL, 403, "M_THREEPID_DENIED"),
    ("v3/account/password/msisdn/requestToken", SMS, 403, "M_THREEPID_DENIED"),
    ("v3/account/3pid/email/requestToken", MAIL, 400, "M_THREEPID_MEDIUM_NOT_SUPPORTED"),
    ("v3/account/3pid/msisdn/requestToken", SMS, 400, "M_THREEPID_MEDIUM_NOT_SUPPORTED"),
    ("v3/register/email/requestToken", {**MAIL, "id_server": "id.example", "id_access_token": "x"}, 400,
     "M_SERVER_NOT_TRUSTED"),
])  # fmt: skip
async def test_nothing_is_sent(node: Node, path: str, body: dict[str, Any], status: int, code: str) -> None:
    found, answer = await node.ask("POST", path, body)
    assert (found, answer["errcode"]) == (status, code)


async def test_an_address_is_added_only_after_a_confirmation_and_then_not(node: Node) -> None:
    hana = await node.person("hana")
    body = {"client_secret": "s3cret", "sid": "1"}
    status, answer = await hana.post("v3/account/3pid/add", body)
    assert (status, "flows" in answer) == (401, True)
    auth = hana.password_auth(session=answer["session"])
    status, answer = await hana.post("v3/account/3pid/add", {**body, "auth": auth})
    assert (status, answer["errcode"]) == (400, "M_THREEPID_AUTH_FAILED")


async def test_no_identity_server_is_asked(node: Node) -> None:
    hana = await node.person("hana")
    creds = {"client_secret": "s3cret", "id_server": "id.example", "id_access_token": "x", "sid": "1"}
    status, answer = await hana.post("v3/account/3pid/bind", creds)
    assert (status, answer["errcode"]) == (400, "M_SERVER_NOT_TRUSTED")
    status, answer = await hana.post("v3/account/3pid", {"three_pid_creds": creds})
    assert (status, answer["errcode"]) == (403, "M_THREEPID_AUTH_FAILED")


@pytest.mark.parametrize("verb", ["delete", "unbind"])
async def test_what_is_not_there_is_gone_already(node: Node, verb: str) -> None:
    hana = await node.person("hana")
    status, answer = await hana.post(f"v3/account/3pid/{verb}", {"medium": "email", "address": "hana@example.jp"})
    assert (status, answer) == (200, {"id_server_unbind_result": "no-support"})


@pytest.mark.parametrize("path", ["v3/account/3pid/add", "v3/account/3pid/bind", "v3/account/3pid/delete"])
async def test_strangers_change_nothing(node: Node, path: str) -> None:
    with node.contract.tolerating("nobody is logged in, and the body is empty"):
        status, answer = await node.ask("POST", path, {})
    assert (status, answer["errcode"]) == (401, "M_MISSING_TOKEN")
