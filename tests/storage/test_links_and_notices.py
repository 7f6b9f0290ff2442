"""Tables between nodes, on both databases."""

from __future__ import annotations

from dataclasses import replace

from federation.broadcasts import notices_store, sends_store
from federation.broadcasts.model import Message, Notice, Record, Stage, Standing
from federation.broadcasts.notices_store import Way
from federation.broadcasts.sends_store import Send
from federation.figures import reports_store
from federation.figures.model import Report
from federation.links import inbox_store, links_store
from federation.links.inbox_store import Letter, Refusal
from federation.links.model import Area, CodeRecord, Direction, Link, LinkState, NodeKind, Terms, Told
from server.storage.database import Database, Writes
from server.storage.schema_version import migrate

TERMS = Terms(kind=NodeKind.ASSOCIATION, name="桜町町内会", areas=(Area("17201/sakura", "桜町"),))
NOTICE = Notice(
    origin="city.example", id="abc", revision=1, stage=Stage.SENT, from_name="金沢市", from_kind=NodeKind.CITY,
    message=Message(title="題", text="本文", areas=("17201",), expires_ts=9_000), sent_ts=1, changed_ts=1,
    expires_ts=9_000,
)
LINK = Link(
    room_id="!a", direction=Direction.BELOW, server="sakura.example", user_id="@kairan:sakura.example", name="桜町",
    kind=NodeKind.ASSOCIATION, terms=TERMS, offered=TERMS, state=LinkState.AGREEING, begun_ts=1, changed_ts=1,
)


async def test_links_codes_letters_and_refusals_are_kept(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    code = CodeRecord(hash="h", number="N", terms=TERMS, issuer="@a:b", created_ts=1, expires_ts=9)
    links_store.put_area(writes, Area("17201", "市"))
    links_store.put_code(writes, code)
    links_store.put_link(writes, LINK)
    links_store.choose(writes, "held", ["disaster"])
    for number, urgent in ((1, False), (2, True)):
        inbox_store.add_letter(writes, Letter(f"e{number}", number, "!a", "k", "@a:b", urgent, 1, {"字": "あ"}))
    for ts in (1, 2):
        inbox_store.refuse(writes, Refusal("id", ts, 1, "evil.example", "一斉配信", "にせもの"))
    await database.submit(writes)
    assert await links_store.all_areas(database) == [Area("17201", "市")]
    assert await links_store.all_links(database) == [LINK]
    assert await links_store.choices(database) == {"held": ["disaster"]}
    assert [letter.event_id for letter in await inbox_store.waiting_letters(database, 9)] == ["e2", "e1"]
    assert [(item.times, item.ts) for item in await inbox_store.refusals(database, 9)] == [(2, 2)]

    writes = Writes()
    used = replace(code, used_by="sakura.example", used_ts=5, room_id="!a")
    links_store.put_code(writes, used)
    links_store.withdraw_code(writes, "h", 6)
    links_store.put_link(writes, replace(LINK, state=LinkState.IN_FORCE))
    inbox_store.letter_done(writes, "e2")
    await database.submit(writes)
    assert await links_store.find_code(database, "h") == used
    assert (await links_store.all_links(database))[0].is_in_force
    assert await inbox_store.is_anything_between_nodes(database)
    assert [letter.content for letter in await inbox_store.waiting_letters(database, 9)] == [{"字": "あ"}]


async def test_notices_their_ways_and_figures_are_kept(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    record = Record(notice=NOTICE, signed=NOTICE.as_json(), standing=Standing.HELD, received_ts=3)
    notices_store.put(writes, record)
    notices_store.add_way(writes, Way(NOTICE.key, 1, "!a", "$e", 3))
    for room, urgent in (("!a", False), ("!b", True), ("!a", True)):
        sends_store.plan(writes, Send(NOTICE.key, 1, room, urgent, "", 3))
    await database.submit(writes)
    assert await notices_store.find(database, NOTICE.key) == record
    assert [send.room_id for send in await sends_store.waiting(database, 9)] == ["!b", "!a"]

    writes = Writes()
    second = replace(NOTICE, revision=2, stage=Stage.CORRECTED)
    shown = Record(
        notice=second, signed=second.as_json(), standing=Standing.SHOWN, received_ts=3, circular_id="c", twin_id="t")
    notices_store.put(writes, shown)
    sends_store.note_gone(writes, {"notice": NOTICE.as_json()}, "!b", "$gone", 4)
    sends_store.give_up(writes, Send(NOTICE.key, 1, "!a", False, "", 3))
    report = Report(
        server="sakura.example", name="桜町", kind=NodeKind.ASSOCIATION, areas=("17201/sakura",), key=NOTICE.key,
        revision=1, state="shown", seq=2, ts=5, sections={Told.REACH: {"total": 3, "seen": None}},
    )
    for each in (report, replace(report, seq=1, state="held")):
        reports_store.put(writes, each, each.as_json(), "!a")
    await database.submit(writes)
    for item_id in ("c", "t"):
        assert await notices_store.find_shown_as(database, item_id) == shown
    assert await notices_store.newest(database, 9, [Standing.HELD]) == []
    assert await notices_store.original(database, NOTICE.key, 1) == NOTICE.as_json()
    assert [(send.room_id, send.event_id) for send in await sends_store.sends_of(database, NOTICE.key)] == [
        ("!b", "$gone")]
    assert [kept.report for kept in await reports_store.due(database, 9)] == [report]
    writes = Writes()
    reports_store.note_passed(writes, report)
    await database.submit(writes)
    assert await reports_store.due(database, 9) == []
    assert [kept.room_id for kept in await reports_store.reports_of(database, NOTICE.key)] == ["!a"]
