"""A device that speaks sliding sync as it was accepted (``v4/sync``)."""

from __future__ import annotations

from typing import Any

from tests.builders import Answer, Person

Json = dict[str, Any]

PATH = "v4/sync"

NO_STATE: Json = {}
EVERYTHING: Json = {"include": [{}]}


def element(kind: str | None = None, state_key: str | None = None) -> Json:
    """One element of ``include`` or ``exclude``."""
    given = {"type": kind, "state_key": state_key}
    return {name: value for name, value in given.items() if value is not None}


def one_list(last: int | None = 19, *, limit: int = 1, state: Json = NO_STATE, **filters: Any) -> Json:
    wish: Json = {"timeline_limit": limit, "required_state": state}
    if last is not None:
        wish["range"] = [0, last]
    return {"main": {**wish, "filters": filters} if filters else wish}


def named(*rooms: str, limit: int = 20, state: Json = NO_STATE) -> Json:
    return {key: {"timeline_limit": limit, "required_state": state} for key in rooms}


class MergedDevice:
    """A loop of requests on one connection."""

    def __init__(self, person: Person, conn_id: str = "main", **body: Any) -> None:
        self.person = person
        self.pos: str | None = None
        self.body: Json = {"conn_id": conn_id, "lists": one_list(), **body}

    async def asks(self, pos: str | None = None, *, timeout: int = 0, **changes: Any) -> Answer:
        """One request, which does not move the position on."""
        self.body |= changes
        return await self.person.post(PATH, self.body | {"timeout": timeout} | ({"pos": pos} if pos else {}))

    async def syncs(self, *, timeout: int = 0, **changes: Any) -> Json:
        """One request, and its answer taken as read."""
        answer = await self.asks(self.pos, timeout=timeout, **changes)
        assert answer.status == 200, answer
        self.pos = answer["pos"]
        body: Json = answer.body
        return body
