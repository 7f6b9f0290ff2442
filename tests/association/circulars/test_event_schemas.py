"""What the node sends of circulars is what docs/events says."""

from __future__ import annotations

from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from server.association.members.model import Audience
from tests.association.circulars.going_round import PDF, going_round

EVENTS = Path(__file__).parents[3] / "docs/events"


def _schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads((EVENTS / f"{name}.schema.json").read_bytes()))


async def test_circulars_their_files_and_edits_are_as_documented(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        blocks = Audience.blocks([block.id for block in found.street.node.members.blocks()])
        first = await found.post(attachments=(PDF,), deadline=found.clock.now_ms() + 1000, upstream="$broadcast")
        await found.circulars.call_back(found.chair, first.id)
        second = await found.post(audience=blocks)
        await found.circulars.withdraw(found.chair, second.id, reason="雨")
        await found.circulars.note_opened(found.chair, first.id)
        seen = {"jp.kairan.circular": 0, "jp.kairan.circular.attachment": 0, "jp.kairan.circular.opened": 0}
        rooms = [found.hall, found.street.desk("町田 会長"), *found.street.node.members.rooms_for(blocks)]
        for room_id in rooms:
            for entry in (await found.street.room(room_id)).timeline:
                content = entry.event.content
                for name in seen:
                    for place in (content, content.get("m.new_content", {})):
                        mark = place.get(name)
                        if mark is not None:
                            _schema(name).validate(mark)
                            seen[name] += 1
                if entry.event.type == "jp.kairan.circular.opened":
                    _schema(entry.event.type).validate(content)
                    seen[entry.event.type] += 1
        assert seen == {
            "jp.kairan.circular": 6, "jp.kairan.circular.attachment": 1, "jp.kairan.circular.opened": 1}
