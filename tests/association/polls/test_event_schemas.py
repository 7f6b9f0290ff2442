"""What the node sends of polls is what docs/events says."""

from __future__ import annotations

from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from server.association.polls.model import Counting
from tests.association.polls.asking import asking

EVENTS = Path(__file__).parents[3] / "docs/events"
MARKS = ("jp.kairan.poll", "jp.kairan.poll.result")


async def test_question_and_result_are_as_documented(tmp_path: Path) -> None:
    schemas = {name: Draft202012Validator(orjson.loads((EVENTS / f"{name}.schema.json").read_bytes()))
               for name in MARKS}
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない", deadline=found.clock.now_ms() + 1000)
        await found.street.say("青木 一", found.hall, "1")
        await found.polls.close(found.chair, poll.id)
        seen = []
        for entry in (await found.street.room(found.hall)).timeline:
            for name in MARKS:
                if name in entry.event.content:
                    schemas[name].validate(entry.event.content[name])
                    seen.append(name)
        assert seen == ["jp.kairan.poll"] * 3 + ["jp.kairan.poll.result"]


async def test_a_poll_of_households_is_as_documented(tmp_path: Path) -> None:
    schema = Draft202012Validator(orjson.loads((EVENTS / "jp.kairan.poll.schema.json").read_bytes()))
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない", counting=Counting.HOUSEHOLD)
        schema.validate(poll.as_content())
        assert not schema.is_valid({**poll.as_content(), "counting": "head"})
