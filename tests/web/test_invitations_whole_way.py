"""One answer in three places: the calendar app, the room, the page."""

from __future__ import annotations

import re

from aiohttp import ClientSession, encode_basic_auth

from server.association.gatherings.answers import Answer
from server.association.members.model import Audience
from server.calendars.app_passwords import AppPasswords
from server.calendars.busy_times import FREE_BUSY
from server.rooms.send_event import Draft
from tests.web.conftest import LogIn
from tests.web.site import Site
from tests.web.test_attendance_pages import announced


class App:
    """A calendar app of one resident."""

    def __init__(self, here: Site, name: str, secret: str) -> None:
        user = here.user(name)
        self.localpart = user[1:].partition(":")[0]
        self.home = f"{here.url}/dav/calendars/{self.localpart}/"
        self.headers = {"Authorization": encode_basic_auth(self.localpart, secret)}

    async def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        async with ClientSession() as http, http.request(
            method, self.home + path, data=body.encode(), headers={**self.headers, **headers}
        ) as answer:
            return answer.status, (await answer.text()).replace("\r\n ", "")


async def app_of(here: Site, name: str) -> App:
    passwords = AppPasswords(here.node.core.database, here.node.core.clock)
    return App(here, name, (await passwords.create(here.user(name), "test"))[1])


async def test_an_answer_is_the_same_in_app_room_and_page(here: Site, log_in: LogIn) -> None:
    gathering = await announced(here)
    app, hanako = await app_of(here, "佐藤 花子"), await log_in("佐藤 花子")
    status, copy = await app.ask("GET", f"invitations/{gathering.name}")
    assert status == 200
    assert "PARTSTAT=NEEDS-ACTION" in copy
    accepted = re.sub("PARTSTAT=[A-Z-]+", "PARTSTAT=ACCEPTED", copy)
    assert (await app.ask("PUT", f"invitations/{gathering.name}", accepted))[0] == 204
    user = here.user("佐藤 花子")
    assert (await here.node.association.attendance.of_user(user)).to(gathering.id) is Answer.ACCEPTED
    room_id, message = next(iter(here.node.association.gatherings.posts_of(gathering.id).items()))
    room = await here.node.services.rooms.get(room_id)
    assert room.timeline[-1].event.content["m.relates_to"] == {
        "rel_type": "m.annotation", "event_id": message, "key": "✅"}
    assert "いまの こたえ： 行きます" in (await hanako.get(f"/gatherings/{gathering.id}")).text
    # Now from another client, in the room.
    relates = {"rel_type": "m.annotation", "event_id": message, "key": "🙅"}
    await here.node.services.sender.send(Draft(room_id, user, "m.reaction", {"m.relates_to": relates}))
    assert "PARTSTAT=DECLINED" in (await app.ask("GET", f"invitations/{gathering.name}"))[1]
    # And by the button.
    await hanako.submit(f"/gatherings/{gathering.id}/answer", {"answer": "tentative"})
    assert "PARTSTAT=TENTATIVE" in (await app.ask("GET", f"invitations/{gathering.name}"))[1]
    assert len(await here.node.association.attendance.to([gathering])) == 1


async def test_what_was_called_off_is_not_answered_any_more(here: Site) -> None:
    gathering, app = await announced(here), await app_of(here, "佐藤 花子")
    _, copy = await app.ask("GET", f"invitations/{gathering.name}")
    await here.node.association.gatherings.cancel(here.chief, gathering.id)
    accepted = copy.replace("NEEDS-ACTION", "ACCEPTED")
    assert (await app.ask("PUT", f"invitations/{gathering.name}", accepted))[0] == 403
    _, copy = await app.ask("GET", f"invitations/{gathering.name}")
    assert "STATUS:CANCELLED" in copy
    assert (await app.ask("PUT", f"invitations/{gathering.name}", copy.replace("NEEDS-ACTION", "ACCEPTED")))[0] == 409


async def test_nobody_is_invited_to_what_is_for_others_or_asks_nobody(here: Site) -> None:
    theirs = await announced(here, audience=Audience.blocks([here.block("2班")]))
    quiet = await announced(here, asks=False)
    app, misaki = await app_of(here, "佐藤 花子"), await app_of(here, "高橋 美咲")
    assert (await app.ask("GET", f"invitations/{theirs.name}"))[0] == 404
    assert (await misaki.ask("GET", f"invitations/{theirs.name}"))[0] == 200
    assert (await misaki.ask("GET", f"invitations/{quiet.name}"))[0] == 404


async def test_busy_times_are_shown_by_choice_only(here: Site, log_in: LogIn) -> None:
    app, misaki = await app_of(here, "佐藤 花子"), await log_in("高橋 美咲")
    other = here.user("高橋 美咲")[1:].partition(":")[0]
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:x\r\n"
        f"DTSTAMP:20260101T000000Z\r\nORGANIZER:mailto:{app.localpart}@sakura.example\r\n"
        f"ATTENDEE:mailto:{other}@sakura.example\r\nDTSTART:20260101T000000Z\r\nDTEND:20260102T000000Z\r\n"
        "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    assert "3.7;" in (await app.ask("POST", "outbox/", body))[1]
    await misaki.get("/my/calendar")
    await misaki.submit("/my/calendar/busy", {"show": "yes"})
    assert await here.node.accounts.account_data.get(here.user("高橋 美咲"), "", FREE_BUSY) == {"show": True}
    assert "2.0;" in (await app.ask("POST", "outbox/", body))[1]
    await here.node.accounts.deactivate(here.user("高橋 美咲"))
    assert "3.7;" in (await app.ask("POST", "outbox/", body))[1]
