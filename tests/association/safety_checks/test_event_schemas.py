"""What the node sends of safety checks is what docs/events says."""

from __future__ import annotations

from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from server.association.members.model import Purpose
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from tests.association.safety_checks.checks import checks

EVENTS = Path(__file__).parents[3] / "docs/events"
TYPES = ("jp.kairan.safety.check", "jp.kairan.safety.summary", "jp.kairan.safety.response")
MARKS = ("jp.kairan.safety.prompt", "jp.kairan.safety.received", "jp.kairan.safety.result")


def _schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads((EVENTS / f"{name}.schema.json").read_bytes()))


async def test_every_event_of_a_check_is_as_documented(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin(drill=True)
        given = Given(status=Status.HELP, comment="足をけが", people=2, geo_uri="geo:36.56,136.65")
        await found.verbs.answer(found.street.user("青木 一"), check.id, given)
        await found.street.say("井上 二", found.street.desk("井上 二"), "どうしよう")
        await found.verbs.follow_ups.send_receipts()
        await found.verbs.follow_ups.post_summaries()
        await found.verbs.close(found.chair, check.id)
        seen: set[str] = set()
        rooms = [found.street.desk("青木 一"), found.street.desk("井上 二"),
                 found.street.node.members.hall_room(Purpose.DISASTER)]
        for room_id in rooms:
            for entry in (await found.street.room(room_id)).timeline:
                content = entry.event.content
                if entry.event.type in TYPES:
                    _schema(entry.event.type).validate(content)
                    seen.add(entry.event.type)
                for name in MARKS:
                    if name in content:
                        _schema(name).validate(content[name])
                        seen.add(name)
        assert seen == {*TYPES, *MARKS}
