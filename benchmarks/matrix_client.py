"""What the load generator's people do: a thin Matrix client that parses no more than it must."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from benchmarks.http_client import Answer, HttpClient, HttpClientFactory
from benchmarks.servers import SHARED_SECRET

Json = dict[str, object]

CLIENT = "/_matrix/client/v3"
_SLIDING_SYNC = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"
_POS = re.compile(rb'"pos"\s*:\s*"([^"]+)"')
_REGISTER = "/_synapse/admin/v1/register"
_NEXT_BATCH = re.compile(rb'"next_batch"\s*:\s*"([^"]+)"')
_LIMITED = re.compile(rb'"limited"\s*:\s*true')
_END = re.compile(rb'"end"\s*:\s*"([^"]+)"')
_PAGE = 100
_transactions = itertools.count()


class UnexpectedAnswerError(Exception):
    """The server answered something else than 200."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        super().__init__(f"{method} {path}: {answer.status} {answer.body[:300].decode(errors='replace')}")


@dataclass(slots=True)
class Person:
    """One registered user on one device, with one connection to talk on and one to wait on."""

    user_id: str
    token: str
    talking: HttpClient
    waiting: HttpClient
    since: str = ""
    filters: dict[str, str] = field(default_factory=dict)

    async def send(self, room_id: str, body: str) -> str:
        """Sends a text message; the event id."""
        path = f"{CLIENT}/rooms/{quote(room_id)}/send/m.room.message/m{next(_transactions)}"
        return str((await self._ask("PUT", path, {"msgtype": "m.text", "body": body}))["event_id"])

    async def create_room(self, name: str, **options: object) -> str:
        """Creates a room; the room id."""
        return str((await self._ask("POST", f"{CLIENT}/createRoom", {"name": name, **options}))["room_id"])

    async def join(self, room_id: str) -> None:
        """Joins a room that is public or to which the person is invited."""
        await self._ask("POST", f"{CLIENT}/rooms/{quote(room_id)}/join", {})

    async def join_through(self, room_id: str, server: str) -> None:
        """Joins a room of another server."""
        await self._ask("POST", f"{CLIENT}/join/{quote(room_id)}?server_name={quote(server)}&via={quote(server)}", {})

    async def read_up_to(self, room_id: str, event_id: str) -> None:
        """Posts a public read receipt."""
        await self._ask("POST", f"{CLIENT}/rooms/{quote(room_id)}/receipt/m.read/{quote(event_id)}", {})

    async def filter_id(self, definition: Json) -> str:
        """The id of an uploaded filter, as clients use it."""
        text = orjson.dumps(definition).decode()
        if text not in self.filters:
            path = f"{CLIENT}/user/{quote(self.user_id)}/filter"
            self.filters[text] = str((await self._ask("POST", path, definition))["filter_id"])
        return self.filters[text]

    async def sync(self, *, since: str = "", timeout_ms: int = 0, filter_id: str = "") -> bytes:
        """One /sync on the waiting connection; the raw answer."""
        query = f"timeout={timeout_ms}"
        query += f"&filter={quote(filter_id)}" if filter_id else ""
        query += f"&since={quote(since)}" if since else ""
        return (await _call(self.waiting, "GET", f"{CLIENT}/sync?{query}", self.token, b"")).body

    async def slide(self, body: bytes, *, pos: str = "", timeout_ms: int = 0) -> bytes:
        """One request of sliding sync on the waiting connection, in the dialect that clients speak; the raw answer."""
        query = f"timeout={timeout_ms}" + (f"&pos={quote(pos)}" if pos else "")
        return (await _call(self.waiting, "POST", f"{_SLIDING_SYNC}?{query}", self.token, body)).body

    async def search(self, room_id: str, word: str) -> int:
        """Searches the messages of a room; how many were found, as far as the first page shows."""
        wanted = {"search_term": word, "keys": ["content.body"], "order_by": "recent", "filter": {"rooms": [room_id]}}
        body = orjson.dumps({"search_categories": {"room_events": wanted}})
        answer = await _call(self.talking, "POST", f"{CLIENT}/search", self.token, body)
        return len(orjson.loads(answer.body)["search_categories"]["room_events"].get("results", []))

    async def earlier(self, room_id: str, start: str) -> tuple[bytes, str]:
        """A page of `/messages` backwards from a token: the raw answer, and the token of the next page or nothing."""
        path = f"{CLIENT}/rooms/{quote(room_id)}/messages?dir=b&limit={_PAGE}&from={quote(start)}"
        body = (await _call(self.waiting, "GET", path, self.token, b"")).body
        end = _END.search(body)
        return body, end[1].decode() if end else ""

    async def catch_up(self, filter_id: str) -> None:
        """Syncs once without waiting; afterwards `since` is the present."""
        self.since = next_batch(await self.sync(since=self.since, filter_id=filter_id))

    async def _ask(self, method: str, path: str, body: Json) -> Json:
        answer = await _call(self.talking, method, path, self.token, orjson.dumps(body))
        return _json_object(answer.body)


async def register(port: int, username: str, connect: HttpClientFactory, talking: HttpClient) -> Person:
    """Registers a user with the shared secret, as administrators' tools do (nonce, then HMAC-SHA1)."""
    nonce = str(_json_object((await _call(talking, "GET", _REGISTER, "", b"")).body)["nonce"])
    password = "benchmark"
    signed = b"\x00".join(part.encode() for part in (nonce, username, password, "notadmin"))
    mac = hmac.new(SHARED_SECRET.encode(), signed, hashlib.sha1).hexdigest()
    body = {"nonce": nonce, "username": username, "password": password, "admin": False, "mac": mac}
    answer = _json_object((await _call(talking, "POST", _REGISTER, "", orjson.dumps(body))).body)
    return Person(str(answer["user_id"]), str(answer["access_token"]), talking, connect(port))


def next_batch(body: bytes) -> str:
    """The token of the next sync, found without parsing the answer."""
    found = _NEXT_BATCH.search(body)
    if found is None:
        raise ValueError(f"no next_batch in {body[:200]!r}")
    return found[1].decode()


def next_pos(body: bytes) -> str:
    """The position of the next request of sliding sync, found without parsing the answer."""
    found = _POS.search(body)
    if found is None:
        raise ValueError(f"no pos in {body[:200]!r}")
    return found[1].decode()


def gaps(body: bytes) -> dict[str, str]:
    """For the rooms of a sync whose timeline was cut off: the token from which `/messages` goes on backwards."""
    if _LIMITED.search(body) is None:
        return {}
    rooms: dict[str, dict[str, dict[str, str]]] = orjson.loads(body)["rooms"]["join"]
    timelines = {room_id: room.get("timeline", {}) for room_id, room in rooms.items()}
    return {room_id: timeline["prev_batch"] for room_id, timeline in timelines.items() if timeline.get("limited")}


async def _call(client: HttpClient, method: str, path: str, token: str, body: bytes) -> Answer:
    answer = await client.call(method, path, token, body)
    if answer.status != 200:
        raise UnexpectedAnswerError(method, path, answer)
    return answer


def _json_object(body: bytes) -> Json:
    parsed = orjson.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError(f"not an object: {body[:200]!r}")
    return parsed
