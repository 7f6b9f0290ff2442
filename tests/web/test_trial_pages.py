"""試用版 by its page."""

from __future__ import annotations

from server.operation.trial import is_marked
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, NAMES, Site


async def test_made_up_neighbours_come_and_go_by_a_button(here: Site, chair: Browser) -> None:
    await chair.get("/desk/trial")
    page = await chair.submit("/desk/trial/begin")
    assert "いま 試用中です" in page.text
    assert "試用1班" in (await chair.get("/desk/roster")).text
    await chair.get("/desk/trial")
    page = await chair.submit("/desk/trial/keep")
    assert "試用を おわりました" in page.text
    names = {person.name for person in here.node.association.members.persons()}
    assert names == {CHAIR, *(name for name, _block in NAMES)}
    page = await chair.submit("/desk/trial/begin")
    page = await chair.submit("/desk/trial/throw-away")
    assert "すてています" in page.text
    assert is_marked(here.node.settings)


async def test_it_is_for_who_gives_roles(log_in: LogIn) -> None:
    resident = await log_in("佐藤 花子")
    assert (await resident.get("/desk/trial")).status == 403
