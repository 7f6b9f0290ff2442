"""What holds for all doors: aliases, unknown paths, methods, CORS, bodies; and the small doors."""

from __future__ import annotations

import pytest

from server.foundation.logs import PlainLines
from tests.matrix.accounts.conftest import Node, StartNode


@pytest.mark.parametrize("path", ["v3/login", "r0/login", "v3/login/", "r0/login/"])
async def test_old_names_and_a_slash_at_the_end_make_no_difference(node: Node, path: str) -> None:
    assert (await node.ask("GET", path))[0] == 200


@pytest.mark.parametrize(
    "path", ["/_matrix", "/_matrix/", "/_matrix/x", "/_matrix/client/v1/login", "/_matrix/client/r0",
             "/_matrix/client/v3/profile", "/_matrix/client/v3//login/x", "/_synapse/admin/x",
             "/.well-known/matrix/other", "/_matrix/client/v3/profile/%FF/x/y"],
)
async def test_an_unknown_path_is_a_matrix_error(node: Node, path: str) -> None:
    status, answer = await node.ask("GET", path)
    assert (status, answer["errcode"]) == (404, "M_UNRECOGNIZED")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "v3/login"), ("PATCH", "v3/devices/x"), ("PUT", "versions")])
async def test_a_wrong_method_is_a_matrix_error(node: Node, method: str, path: str) -> None:
    status, answer = await node.ask(method, path)
    assert (status, answer["errcode"]) == (405, "M_UNRECOGNIZED")


@pytest.mark.parametrize(("method", "path", "status"), [
    ("OPTIONS", "v3/login", 204), ("OPTIONS", "v3/nothing", 204), ("GET", "v3/login", 200),
    ("GET", "v3/nothing", 404), ("PATCH", "v3/login", 405), ("GET", "v3/account/whoami", 401),
])
async def test_every_answer_may_be_read_by_a_browser(node: Node, method: str, path: str, status: int) -> None:
    async with node.client.request(method, f"/_matrix/client/{path}") as response:
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert "DELETE" in response.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "M_NOT_JSON"), (b"{", 400, "M_NOT_JSON"), (b"NaN", 400, "M_NOT_JSON"),
        (b'{"a": "\xff"}', 400, "M_NOT_JSON"), (b"[]", 400, "M_BAD_JSON"), (b"null", 400, "M_BAD_JSON"),
        (b'"text"', 400, "M_BAD_JSON"), (b"[" * 5_000, 400, "M_NOT_JSON"),
        (b'{"a":"' + b"x" * 1_100_000 + b'"}', 413, "M_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(node: Node, body: bytes, status: int, code: str) -> None:
    person = await node.person("hana")
    got, answer = await person.put(f"v3/user/{person.user_id}/account_data/x", body)
    assert (got, answer["errcode"]) == (status, code)


async def test_a_fault_of_ours_is_a_500_without_details(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = await node.person("hana")

    async def fail(user_id: str) -> None:
        raise ValueError(user_id)

    monkeypatch.setattr(node.accounts.profiles, "get", fail)
    with node.contract.tolerating("profiles fail"):
        status, answer = await person.get(f"v3/profile/{person.user_id}")
    assert (status, answer["errcode"]) == (500, "M_UNKNOWN")
    told = "\n".join(PlainLines().format(record) for record in caplog.records)
    assert "profile" in told
    assert "hana" not in told


async def test_what_the_node_speaks(node: Node) -> None:
    _, answer = await node.ask("GET", "versions")
    assert "r0.6.1" in answer["versions"]
    assert "v1.11" in answer["versions"]
    _, answer = await (await node.person()).get("v3/capabilities")
    assert answer["capabilities"]["m.room_versions"] == {
        "default": "12", "available": {"10": "stable", "11": "stable", "12": "stable"},
    }


async def test_one_caller_who_asks_too_often_waits(start_node: StartNode) -> None:
    node = await start_node("[limits]\nrequests_per_second = 1\nrequest_burst = 2\n")
    hana, taro = await node.person("hana"), await node.person("taro")
    assert [(await hana.get("v3/account/whoami"))[0] for _ in range(3)] == [200, 200, 429]
    assert (await taro.get("v3/account/whoami"))[0] == 200
    async with node.client.get(
        "/_matrix/client/v3/account/whoami", headers={"Authorization": f"Bearer {hana.token}"}
    ) as response:
        assert int(response.headers["Retry-After"]) >= 1
    node.clock.ahead_s = 5
    assert (await hana.get("v3/account/whoami"))[0] == 200
