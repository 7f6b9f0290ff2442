"""Is one HTTP exchange as the specification has it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from tests.contract.deviations import Fault, allowed
from tests.contract.schemas import answer_schema, content_schemas, error_schema, request_schema, statuses
from tests.contract.specification import Json, Operation, find

# "Standard error response": these may be the answer to any request, whether its own list names them or not.
COMMON_REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 413, 429})
_JOINING: Final = re.compile(r"/(join|knock)(/|$)")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]*(\.[A-Z0-9_]+)*")
_OURS: Final = (
    "/_matrix/client/", "/_matrix/media/", "/_matrix/federation/", "/_matrix/key/", "/.well-known/matrix/",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. ``answer`` is ``None`` where it was not kept (a file)."""

    method: str
    path: str
    query: str
    body: bytes
    status: int
    answer: bytes | None

    @property
    def is_reshaped(self) -> bool:
        """Whether the client has asked for events in another form than the usual one."""
        return "event_format" in self.query or "event_fields" in self.query


@dataclass(slots=True)
class Contract:
    """Checks exchanges; remembers what clients have sent, for the node hands on what it does not judge."""

    said: set[bytes] = field(default_factory=set)

    def faults(self, exchange: Exchange) -> list[Fault]:
        """What is wrong with ``exchange`` and is in no table."""
        if not exchange.path.startswith(_OURS) or exchange.method in ("OPTIONS", "HEAD"):
            return []
        found = find(exchange.method, exchange.path)
        self._remember(exchange)
        return [fault for fault in _best(found, exchange, self.said) if not allowed(fault)]

    def _remember(self, exchange: Exchange) -> None:
        if exchange.body[:1] == b"{":
            sent = _read(exchange.body)
            self.said.update(_key(content) for content in _objects(sent))
            if isinstance(sent, dict) and _JOINING.search(exchange.path):
                # What else stands in the body goes into the member event, beside what the node puts there.
                self.said.update(_key({name: value}) for name, value in sent.items())


def _best(found: Iterable[Operation], exchange: Exchange, said: set[bytes]) -> list[Fault]:
    """The faults by the operation of this route that fits best."""
    choices = [[*_operation_faults(operation, exchange, said)] for operation in found if operation.is_stable]
    return min(choices, key=len) if choices else [*_plain_faults(exchange)]


def _operation_faults(operation: Operation, exchange: Exchange, said: set[bytes]) -> Iterator[Fault]:
    answer = _read(exchange.answer)
    name, status = operation.label, exchange.status
    if status < 300:
        yield from _request_faults(operation, exchange)
    described = statuses(operation)
    if status not in described and status not in COMMON_REFUSALS:
        yield Fault(name, "status", str(status), f"not described; {answer!r:.200}")
    if status >= 400 and not _asks_for_more(exchange.status, answer):
        yield from _refusal_faults(name, answer)
    # What a 401 is described as is the question for more, not that nobody is logged in.
    is_described = status in described and (status != 401 or _asks_for_more(status, answer))
    schema = answer_schema(operation, status) if is_described else None
    if exchange.is_reshaped:
        return
    if schema is not None and exchange.answer is not None:
        yield from (Fault(name, "answer", where, message) for where, message in schema.faults(answer))
    for event in _events(answer):
        yield from (fault for fault in _event_faults(name, event) if not _is_said(event["content"], fault, said))


def _is_said(content: Json, fault: Fault, said: set[bytes]) -> bool:
    """Whether a client has said the content, or, when it joined, just this field of it."""
    field_name = fault.where.partition(".")[0]
    return _key(content) in said or (field_name in content and _key({field_name: content[field_name]}) in said)


def _request_faults(operation: Operation, exchange: Exchange) -> Iterator[Fault]:
    schema = request_schema(operation)
    if schema is not None:
        sent = _read(exchange.body) if exchange.body else {}
        yield from (Fault(operation.label, "request", where, message) for where, message in schema.faults(sent))


def _plain_faults(exchange: Exchange) -> Iterator[Fault]:
    """An unknown path, a wrong method, an unstable operation: an error must have the usual shape."""
    answer = _read(exchange.answer)
    if exchange.status >= 400 and not _asks_for_more(exchange.status, answer):
        yield from _refusal_faults(f"{exchange.method} {exchange.path}", answer)


def _asks_for_more(status: int, answer: Any) -> bool:
    """User-interactive authentication: the one error whose code may be missing."""
    return status == 401 and isinstance(answer, dict) and "flows" in answer


def _refusal_faults(name: str, answer: Any) -> Iterator[Fault]:
    for where, message in error_schema().faults(answer):
        yield Fault(name, "refusal", where, message)
    if isinstance(answer, dict):
        if not _CODE.fullmatch(str(answer.get("errcode"))):
            yield Fault(name, "refusal", "errcode", f"no code of the specification's kind: {answer.get('errcode')!r}")
        if not answer.get("error"):
            yield Fault(name, "refusal", "error", "no text for people")


def _event_faults(name: str, event: Json) -> list[Fault]:
    """What is wrong with the content of an event; nothing where it was redacted."""
    schemas = content_schemas(event["type"]) if re.fullmatch(r"m\.[\w.]+", event["type"]) else ()
    if not schemas or "redacted_because" in (event.get("unsigned") or {}) or not event["content"]:
        return []
    by_schema = [schema.faults(event["content"]) for schema in schemas]
    return [
        Fault(f"{name} {event['type']}", "event", where, message) for where, message in min(by_schema, key=len)
    ]


def _events(value: Any) -> Iterator[Json]:
    """Everything in an answer that has a type and a content."""
    for found in _objects(value):
        if isinstance(found.get("type"), str) and isinstance(found.get("content"), dict):
            yield found


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _read(data: bytes | None) -> Any:
    try:
        return orjson.loads(data) if data else None
    except ValueError:
        return None


def _key(content: Json) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
