"""Requests as nobody would write them: made of the specification's schemas, and damaged.

Half of what comes out is right, so that it passes the first checks and reaches what lies behind them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st

from tests.contract.schemas import request_description
from tests.contract.specification import CLIENT_SERVER, Json, Operation, operations, without_references

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD")
Value = st.SearchStrategy[Any]

ODD_TEXTS: Final = (
    "", " ", ".", "..", "/", "%", "%2e%2e", "*", "\0", "\ud83c", "null", "true", "-1", "0", "1e9", "9" * 30, "x" * 300,
    "二" * 90,
    "@", "!", "#", "$", "@a:", "@:b", "@nobody:sakura.example", "@a:elsewhere.example", "!a:elsewhere.example", "$none",
    "#a:elsewhere.example", "m.room.member", "m.room.create", "m.room.power_levels", "m.read", "m.direct",
    "mxc://a/b", "mxc://sakura.example/../x", "signed_curve25519:AAAA", "ed25519:x", "s1_2_3", "t1-2", "ふ\u202eり",
    "a'\"<b>\n",
)  # fmt: skip
ODD_NUMBERS: Final = (0, 1, -1, 2**31, 2**53 - 1, 2**53, -(2**53), 2**63, 2**64, 10**40, 0.5, -0.0, 1e300)

texts: Value = st.sampled_from([text for text in ODD_TEXTS if text != "\ud83c"]) | st.text(max_size=12)
numbers: Value = st.sampled_from(ODD_NUMBERS) | st.integers(-5, 100)
simple: Value = st.none() | st.booleans() | numbers | texts
anything: Value = st.recursive(
    simple, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
BROKEN_BODIES: Final = (
    b"", b"{", b"null", b"[]", b'"x"', b"5", b"NaN", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b'{"\\u0000": 1}', b"\xef\xbb\xbf{}", b"{}{}", b'{"a":1,"a":2}', b"[" * 3000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"a": 123456789012345678901234567890}', b"\x00\x01\x02", b'{"a":"' + b"x" * 70_000 + b'"}',
)  # fmt: skip
AUTHORIZATIONS: Final = ("", "Bearer", "Bearer nothing", "Basic eDp5", "Bearer é", "x" * 3000)
CONTENT_TYPES: Final = ("text/plain", "application/json; charset=utf-16", "multipart/form-data", "image/png", ";")


@dataclass(frozen=True, slots=True)
class WildRequest:
    """What is sent. Names in double braces stand for what there is in the world: ``{{roomId}}``."""

    operation: Operation
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    authorization: str | None
    content_type: str

    def url(self, names: dict[str, str]) -> str:
        """Encoded path and query, with the names of ``names`` in it."""
        query = "&".join(f"{_quoted(name)}={_quoted(_with(value, names))}" for name, value in self.query)
        path = _with(self.path, {name: _quoted(value) for name, value in names.items()})
        return f"{path}?{query}" if query else path

    def data(self, names: dict[str, str]) -> bytes | None:
        """The body, with the names of ``names`` in it."""
        return None if self.body is None else _with(self.body.decode("latin-1"), names).encode("latin-1", "ignore")


def _with(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: names.get(found[1], "1"), text)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def requests() -> st.SearchStrategy[WildRequest]:
    """Requests to every endpoint there is."""
    return st.sampled_from(operations()).flatmap(_request)


@cache
def _request(operation: Operation) -> st.SearchStrategy[WildRequest]:
    return st.builds(
        WildRequest,
        operation=st.just(operation),
        method=_mostly(st.just(operation.method), st.sampled_from(METHODS), 15),
        path=_path(operation),
        query=_query(operation),
        body=_body(operation),
        authorization=_mostly(st.none(), st.sampled_from(AUTHORIZATIONS), 15),
        content_type=_mostly(st.just("application/json"), st.sampled_from(CONTENT_TYPES), 15),
    )


def _mostly(usual: Value, odd: Value, one_in: int) -> Value:
    # Not at an end of the range: those come out more often than others.
    return st.integers(0, one_in).flatmap(lambda number: odd if number == 1 else usual)


def _path(operation: Operation) -> st.SearchStrategy[str]:
    parts = [
        _mostly(st.just("{" + part + "}"), texts.map(_quoted), 4) if part.startswith("{") else st.just(part)
        for part in operation.path.strip("/").split("/")
    ]
    slash = _mostly(st.just(""), st.sampled_from(["/", "//", "/x", "/%2F", "/%00", "/%ff"]), 12)
    return st.tuples(st.tuples(*parts), slash).map(lambda found: "/" + "/".join(found[0]) + found[1])


def _query(operation: Operation) -> Value:
    described = operation.description.get("parameters", []) if operation.is_stable else []
    found = without_references(described, CLIENT_SERVER / operation.file) if described else []
    known = [{**part["allOf"][0], **part} if "allOf" in part else part for part in found]
    pairs = [_pair(part) for part in known if part["in"] == "query"]
    more = st.tuples(st.sampled_from(["access_token", "user_id", "from", "limit", "filter", "x"]), texts)
    chosen = st.tuples(*(st.none() | pair for pair in pairs)).map(lambda found: [pair for pair in found if pair])
    odd = _mostly(st.just([]), st.lists(more, max_size=2), 6)
    return st.tuples(chosen, odd).map(lambda found: tuple(found[0] + found[1]))


def _pair(part: Json) -> Value:
    name = part["name"]
    if name == "timeout":  # whoever asks to wait is made to wait
        return st.tuples(st.just(name), st.sampled_from(["0", "1", "-1", "x", "", "0.5"]))
    right = of_schema(part.get("schema", {})).map(lambda value: value if isinstance(value, str) else json.dumps(value))
    return st.tuples(st.just(name), _mostly(right, texts, 2))


def _body(operation: Operation) -> Value:
    schema = request_description(operation) if operation.is_stable else None
    right = of_schema(schema) if schema is not None else st.dictionaries(texts, anything, max_size=3)
    sent = _mostly(right, st.tuples(right, st.randoms(use_true_random=False)).map(_damaged), 2).map(_dumped)
    return _mostly(sent, st.none() | st.sampled_from(BROKEN_BODIES), 10)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _damaged(given: tuple[Any, Any]) -> Any:
    """``value`` with one thing in it lost or made odd."""
    value, random = given
    if isinstance(value, dict) and value and random.random() < 0.8:
        name = random.choice(sorted(value))
        rest = {other: value[other] for other in value if other != name}
        return rest if random.random() < 0.3 else {**rest, name: _damaged((value[name], random))}
    if isinstance(value, list) and value and random.random() < 0.6:
        return [_damaged((value[0], random)), *value[1:]]
    return random.choice([*ODD_NUMBERS, *ODD_TEXTS[:20], None, True, {}, [], {"a": {"b": [None]}}, [[]], ["x", 5]])


_NAMED: Final = {
    "mx-user-id": "{{userId}}", "mx-room-id": "{{roomId}}", "mx-event-id": "{{eventId}}",
    "mx-room-alias": "{{roomAlias}}", "mx-mxc-uri": "mxc://{{serverName}}/abc", "mx-server-name": "{{serverName}}",
}  # fmt: skip

_PLAIN: Final[dict[str, Value]] = {
    "integer": st.integers(0, 50), "number": st.integers(0, 5) | st.just(0.5),
    "boolean": st.booleans(), "null": st.none(),
}  # fmt: skip
_KEYS: Final = st.sampled_from(
    ["{{userId}}", "{{deviceId}}", "{{roomId}}", "signed_curve25519:AAAA", "ed25519:x", "*"]
)


def of_schema(schema: Json, depth: int = 0) -> Value:
    """Values that a schema without references allows, nearly; short ones."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for choice in ("oneOf", "anyOf"):
        if choice in schema and depth < 6:
            return st.one_of(*(of_schema({**_rest(schema, choice), **part}, depth + 1) for part in schema[choice]))
    if "allOf" in schema:
        return of_schema(_joined(schema), depth)
    kind = schema.get("type", "object" if "properties" in schema else "any")
    kinds = kind if isinstance(kind, list) else [kind]
    return st.one_of(*(_of_kind(one, schema, depth) for one in kinds))


def _of_kind(kind: str, schema: Json, depth: int) -> Value:
    if kind == "object":
        return _object(schema, depth)
    if kind == "array":
        return st.lists(of_schema(schema.get("items", {}), depth + 1), max_size=2 if depth < 4 else 0)
    if kind == "string":
        named = _NAMED.get(schema.get("format", ""))
        examples = [schema["example"]] if isinstance(schema.get("example"), str) else []
        return st.just(named) if named else st.sampled_from([*examples, "x", "1"]) | texts
    return _PLAIN.get(kind, anything)


def _object(schema: Json, depth: int) -> Value:
    known = schema.get("properties", {}) if depth < 6 else {}
    required = set(schema.get("required", ()))
    fixed = st.fixed_dictionaries(
        {name: of_schema(part, depth + 1) for name, part in known.items() if name in required},
        optional={name: of_schema(part, depth + 1) for name, part in known.items() if name not in required},
    )
    others = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    if not isinstance(others, dict) or depth > 5:
        return fixed
    more = st.dictionaries(_KEYS | texts, of_schema(others, depth + 1), max_size=2)
    return st.tuples(fixed, more).map(lambda found: {**found[1], **found[0]})


def _rest(schema: Json, without: str) -> Json:
    return {name: value for name, value in schema.items() if name != without}


def _joined(schema: Json) -> Json:
    made: Json = _rest(schema, "allOf")
    for part in schema["allOf"]:
        flat = _joined(part) if "allOf" in part else part
        made = {
            **flat, **made,
            "properties": {**flat.get("properties", {}), **made.get("properties", {})},
            "required": [*flat.get("required", ()), *made.get("required", ())],
        }  # fmt: skip
    return made
