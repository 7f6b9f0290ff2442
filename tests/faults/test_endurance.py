"""R23: hour after hour of the same: memory and descriptors do not grow, and the database grows as what is written.

``KAIRAN_ENDURE_MINUTES`` says how long; some seconds with all other tests, where memory is still finding its size and
is not judged.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import open_files, resident_mb, tell

MINUTES = float(os.environ.get("KAIRAN_ENDURE_MINUTES", "0"))
_ROUND = 60
# At a steady pace: rooms that nobody uses stay in memory for ten minutes, so their number follows from it.
_EVERY_S = 2.0 if MINUTES else 0.0


@pytest.mark.slow
async def test_hour_after_hour_nothing_grows_but_what_is_written(process: NodeProcess, client: Client) -> None:
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    loop = asyncio.get_running_loop()
    token, turn, began = "", 0, loop.time()
    ends, is_warm_after = began + 60 * MINUTES, began + 20 * MINUTES
    seen: list[tuple[float, int, int]] = []
    warm = 0
    while turn < 3 or loop.time() < ends:
        token = await _one_round(client, room, token, turn)
        database = process.folder / "kairan.db"
        seen.append((resident_mb(process.process_id), open_files(process.process_id), database.stat().st_size))
        turn += 1
        # After a third of the time: caches fill in minutes, and what they no longer need goes after ten.
        warm = len(seen) - 1 if loop.time() < is_warm_after else warm
        await asyncio.sleep(max(began + turn * _EVERY_S - loop.time(), 0))
    files = [item[1] for item in seen]
    assert max(files[1:]) <= files[0] + 5, "descriptors"
    if MINUTES >= 60:
        assert seen[-1][0] < seen[warm][0] * 1.05, f"memory grew from {seen[warm][0]:.0f} to {seen[-1][0]:.0f} MB"
        middle = len(seen) // 2
        first, second = seen[middle][2] - seen[0][2], seen[-1][2] - seen[middle][2]
        assert second < 1.5 * first + 2**20, "the database grows faster than what is written"
    tell("R23", f"{turn} rounds of {_ROUND} messages: {seen[0][0]:.0f} MB, warm {seen[warm][0]:.0f}, at last "
                f"{seen[-1][0]:.0f} MB, {files[0]} to {files[-1]} descriptors, database {seen[-1][2] / 2**20:.1f} MB")


async def _one_round(client: Client, room: str, token: str, turn: int) -> str:
    """Talk, read, look: what a node does most of its life; and a device and a room that come and go."""
    await asyncio.gather(*(
        client.ask("PUT", f"rooms/{room}/send/m.room.message/{turn}-{number}", {"body": f"{turn}-{number}"})
        for number in range(_ROUND)
    ))
    news = await client.ask("GET", "sync", **({"since": token} if token else {}))
    last = news["rooms"]["join"][room]["timeline"]["events"][-1]["event_id"]
    await client.ask("POST", f"rooms/{room}/receipt/m.read/{last}", {})
    await client.ask("PUT", f"rooms/{room}/typing/{client.user_id}", {"typing": True, "timeout": 1000})
    thanks = {"m.relates_to": {"rel_type": "m.annotation", "event_id": last, "key": "👍"}}
    await client.ask("PUT", f"rooms/{room}/send/m.reaction/{turn}-thanks", thanks)
    await client.ask("PUT", f"rooms/{room}/redact/{last}/{turn}-gone", {})
    await client.ask("GET", f"rooms/{room}/messages", dir="b", limit="50")
    await client.ask("POST", "search", {"search_categories": {"room_events": {"search_term": f"{turn}-1"}}})
    await _come_and_go(client, turn)
    return str(news["next_batch"])


async def _come_and_go(client: Client, turn: int) -> None:
    phone = client.another()
    await phone.log_in("hanako")
    await phone.ask("GET", "sync", filter='{"room":{"timeline":{"limit":5}}}')
    await phone.ask("PUT", f"user/{client.user_id}/account_data/org.example.note", {"turn": turn})
    await phone.ask("POST", "logout", {})
    other = (await client.ask("POST", "createRoom", {}))["room_id"]
    await client.ask("POST", f"rooms/{other}/leave", {})
    await client.ask("POST", f"rooms/{other}/forget", {})
