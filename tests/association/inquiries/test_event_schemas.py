"""What is sent of inquiries is what docs/events says."""

from __future__ import annotations

from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from tests.association.inquiries.asking import asking

_FILE = Path(__file__).parents[3] / "docs/events/jp.kairan.inquiry.schema.json"


async def test_questions_answers_and_copies_are_as_documented(tmp_path: Path) -> None:
    schema = Draft202012Validator(orjson.loads(_FILE.read_bytes()))
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user("青木 一"), "ごみは いつですか")
        await here.inquiries.take(here.chair, here.only().id, here.only().revision)
        await here.inquiries.answer(here.chair, here.only().id, here.only().revision, "あしたです")
        await here.inquiries.carry()
        found = 0
        for room_id in (here.reception, here.street.desk("青木 一")):
            for entry in (await here.street.room(room_id)).timeline:
                mark = entry.event.content.get("jp.kairan.inquiry")
                if mark is not None:
                    schema.validate(mark)
                    found += 1
        assert found == 5
