"""Stamps on a circular: put and taken back on the page, seen in Matrix clients and the other way round; no answer."""

from __future__ import annotations

from server.association.circulars.model import Letter
from server.association.circulars.stamps_store import stamps_of
from server.association.members.model import EVERYONE, Audience
from server.rooms.send_event import Draft
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site


async def _circular(here: Site, audience: Audience = EVERYONE) -> str:
    letter = Letter(title="草むしりの お礼", text="ありがとうございました。", audience=audience)
    return (await here.node.association.circulars.post(here.user(CHAIR), letter)).id


async def test_a_stamp_is_put_counted_and_taken_back(here: Site, log_in: LogIn) -> None:
    circular = await _circular(here)
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    for browser in (hanako, ichiro):
        await browser.get(f"/circulars/{circular}")
        page = await browser.submit(f"/circulars/{circular}/stamp", {"put": "🙏"})
        assert page.status == 200
    page = await browser.submit(f"/circulars/{circular}/stamp", {"put": "🙏"})
    assert "ありがとう 2" in page.text
    assert 'aria-pressed="true"' in page.html
    for _ in range(2):  # said twice, it is the same
        page = await ichiro.submit(f"/circulars/{circular}/stamp", {"back": "🙏"})
        assert "ありがとう 1" in page.text
        assert 'aria-pressed="true"' not in page.html


async def test_a_reaction_in_any_client_is_a_stamp_and_acknowledges_nothing(here: Site, log_in: LogIn) -> None:
    circular = await _circular(here)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/circulars/{circular}")
    await _react(here, "鈴木 一郎", circular, "🍉")
    page = await hanako.get(f"/circulars/{circular}")
    assert "🍉 1" in page.text
    assert "了解しました" not in page.text


async def test_what_is_no_stamp_of_ours_is_refused_on_the_page(here: Site, log_in: LogIn) -> None:
    circular = await _circular(here)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/circulars/{circular}")
    assert (await hanako.submit(f"/circulars/{circular}/stamp", {"put": "✅"})).status == 400
    assert await stamps_of(here.node.core.database, circular) == []


async def test_nobody_stamps_what_was_withdrawn_or_is_for_others(here: Site, log_in: LogIn) -> None:
    circular, theirs = await _circular(here), await _circular(here, Audience.blocks([here.block("2班")]))
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/circulars/{circular}")
    proof = dict(page.form(f"/circulars/{circular}/stamp").fields)
    await here.node.association.circulars.withdraw(here.user(CHAIR), circular)
    for which, status in ((circular, 409), (theirs, 404), ("unknown", 404)):
        assert (await hanako.post(f"/circulars/{which}/stamp", {**proof, "put": "🙏"})).status == status
        assert await stamps_of(here.node.core.database, which) == []


async def _react(here: Site, name: str, circular: str, key: str) -> None:
    room_id = here.node.association.members.rooms_for(EVERYONE)[0]
    room = await here.node.core.services.rooms.get(room_id)
    target = next(entry.event.event_id for entry in reversed(room.timeline)
                  if entry.event.content.get("jp.kairan.circular", {}).get("id") == circular)
    relates = {"rel_type": "m.annotation", "event_id": target, "key": key}
    await here.node.core.services.sender.send(Draft(room_id, here.user(name), "m.reaction", {"m.relates_to": relates}))
