"""Reports, moments, threads, upgrades and search on each database."""

from __future__ import annotations

from pathlib import Path

from server.rooms.report_store import newest_reports
from tests.builders import RunningNode, settings_for


async def test_rare_questions_have_the_same_answers_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(preset="public_chat", room_alias_name="hall")
        await taro.joins(room)
        ids = [await hanako.says(room, f"防災訓練 {number}") for number in range(70)]
        await taro.says(room, "はい", **{"m.relates_to": {"rel_type": "m.thread", "event_id": ids[0]}})
        assert (await taro.post(f"v3/rooms/{room}/report/{ids[1]}", {"reason": "うるさい"})).status == 200
        assert [report.event_id for report in await newest_reports(node.inside.core.database, 5)] == [ids[1]]
        for include in ("all", "participated"):
            found = await taro.get(f"v1/rooms/{room}/threads", include=include)
            assert [event["event_id"] for event in found["chunk"]] == [ids[0]]
        moment = await taro.get(f"v1/rooms/{room}/timestamp_to_event", ts="1", dir="f")
        assert moment["event_id"].startswith("$")
        for _ in range(2):
            wanted = {"search_categories": {"room_events": {"search_term": "訓練 33"}}}
            results = (await taro.post("v3/search", wanted))["search_categories"]["room_events"]["results"]
            assert [item["result"]["event_id"] for item in results] == [ids[33]]
        told = await taro.get("v3/notifications", limit="3")
        assert [item["event"]["event_id"] for item in told["notifications"]] == ids[:-4:-1]
        assert (await taro.get("v3/notifications", only="highlight"))["notifications"] == []
        await hanako.redacts(room, ids[33])
        gone = (await taro.post("v3/search", wanted))["search_categories"]["room_events"]["results"]
        assert gone == []
        new = (await hanako.post(f"v3/rooms/{room}/upgrade", {"new_version": "12"}))["replacement_room"]
        await taro.joins("#hall:sakura.example")
        await taro.says(new, "こんにちは")
