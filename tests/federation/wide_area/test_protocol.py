"""What nodes tell each other is what docs/protocol.md and its schemas say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from federation.broadcasts.model import Kind, Stage
from federation.figures.reports_store import reports_of
from federation.links.codes import read_code
from federation.links.joining import summary_as_json
from server.association.circulars.model import Attachment
from tests.federation.wide_area.places import code_for, comes, link, message, until, wide_area

EVENTS = Path(__file__).parents[3] / "docs/events"


def is_as_documented(name: str, value: Any) -> None:
    schema = orjson.loads((EVENTS / f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(value)


async def test_every_event_between_nodes_is_as_documented(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", sakura="association"
    ) as (city, federation, sakura):
        code = read_code(await code_for(federation, sakura, "17201/mori/sakura"))
        summary = await federation.verbs.offers.summary(sakura.server, code.secret)
        is_as_documented("jp.kairan.link.summary", summary_as_json(summary))
        is_as_documented("jp.kairan.link.agree", {
            "code": code.secret, "party": sakura.verbs.book.us.party.as_json(), "terms": summary.terms.as_json()})
        await link(city, federation, "17201/mori")
        made = await link(federation, sakura, "17201/mori/sakura")
        send = city.verbs.sending
        paper = Attachment("mxc://city.example/abc", "a.pdf", "application/pdf", 10)
        sent = await send.send(city.me, message(attachments=(paper,), office="水道課"))
        await send.correct(city.me, sent.key, message(), "訂正")
        await send.send(city.me, message(kind=Kind.SURVEY, choices=("はい", "いいえ")))
        await send.send(city.me, message(kind=Kind.SAFETY_CHECK, drill=True))
        await comes(sakura, 2)
        await sakura.verbs.figures.report_now()

        async def all_told() -> bool:
            found = await city.verbs.sending.sent(city.me)
            return all([len(await reports_of(city.node.inside.core.database, item.key)) == 2 for item in found])

        await until(all_told)
        seen: set[str] = set()
        room = await sakura.node.inside.services.rooms.get(made.room_id)
        for event in [*(entry.event for entry in room.timeline), *room.state.values()]:
            if event.type.startswith("jp.kairan."):
                is_as_documented(event.type, event.content)
                seen.add(event.type)
        assert seen == {"jp.kairan.link", "jp.kairan.broadcast", "jp.kairan.figures", "jp.kairan.liaison"}
        halves = [event.content for key, event in room.state.items() if key[0] == "jp.kairan.link"]
        assert any("mandates" in half for half in halves)
        for record in await sakura.verbs.desk.received(sakura.me):
            is_as_documented("jp.kairan.notice", record.signed)
            assert record.notice.stage in (Stage.SENT, Stage.CORRECTED)
            for kept in await reports_of(city.node.inside.core.database, record.key):
                is_as_documented("jp.kairan.figures.report", kept.signed)
