"""Where clients send people for a stage of a confirmation that is not for them (spec: "Fallback")."""

from __future__ import annotations

from tests.builders import RunningNode

STAGE = "m.login.sso"


async def leads_to(node: RunningNode, stage: str, session: str) -> tuple[int, str]:
    url = f"/_matrix/client/v3/auth/{stage}/fallback/web?session={session}"
    async with node.client.get(url, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_the_browser_is_sent_to_the_page_of_the_stage(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    asked = await hanako.post("v3/delete_devices", {"devices": [hanako.device_id]})
    assert asked.status == 401
    assert {"stages": [STAGE]} in asked.body["flows"]
    session = asked.body["session"]
    assert await leads_to(node, STAGE, session) == (302, f"/auth/{STAGE}/{session}")


async def test_a_stage_or_session_that_is_not_there_is_not_found(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    session = (await hanako.post("v3/delete_devices", {"devices": [hanako.device_id]})).body["session"]
    assert (await leads_to(node, STAGE, "nothing"))[0] == 404
    assert (await leads_to(node, "m.login.recaptcha", session))[0] == 404
    assert (await node.ask("GET", f"v3/auth/{STAGE}/fallback/web")).refusal == (400, "M_MISSING_PARAM")
