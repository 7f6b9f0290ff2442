"""Properties of canonical JSON and of signatures, with the packages of the protocol's authors as oracles."""

from __future__ import annotations

from typing import Any

import pytest
import signedjson.key
import signedjson.sign
from canonicaljson import encode_canonical_json
from hypothesis import given
from hypothesis import strategies as st

from server.foundation.canonical_json import (
    MAX_INTEGER,
    MAX_NESTING,
    canonical_json,
    parse_json,
    require_canonical,
)
from server.foundation.errors import BadRequest
from server.foundation.signatures import (
    SigningKey,
    from_unpadded_base64,
    sign_json,
    signature_is_valid,
    unpadded_base64,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)
objects = st.dictionaries(texts, values).filter(lambda value: not {"signatures", "unsigned"} & value.keys())
seeds = st.binary(min_size=32, max_size=32)


@given(values)
def test_our_canonical_json_is_that_of_the_oracle(value: Any) -> None:
    require_canonical(value)
    assert canonical_json(value) == encode_canonical_json(value)


@given(values)
def test_canonical_json_reads_back_as_the_same_value(value: Any) -> None:
    assert parse_json(canonical_json(value)) == value


@given(objects, seeds)
def test_our_signature_is_that_of_the_oracle(value: dict[str, Any], seed: bytes) -> None:
    ours = SigningKey.from_seed("1", seed)
    theirs = signedjson.key.decode_signing_key_base64("ed25519", "1", unpadded_base64(seed))
    signed = sign_json(value, "a.example", ours)
    assert signed == signedjson.sign.sign_json(dict(value), "a.example", theirs)
    assert signature_is_valid(signed, "a.example", ours.key_id, ours.public)


@given(objects, seeds, texts)
def test_a_signature_does_not_cover_another_value(value: dict[str, Any], seed: bytes, addition: str) -> None:
    key = SigningKey.from_seed("1", seed)
    signed = sign_json(value, "a.example", key)
    changed = {**signed, "added": addition} if value.get("added") != addition else {**signed, "added": [addition]}
    assert not signature_is_valid(changed, "a.example", key.key_id, key.public)
    assert not signature_is_valid(signed, "b.example", key.key_id, key.public)


@given(st.binary())
def test_base64_reads_back(data: bytes) -> None:
    assert from_unpadded_base64(unpadded_base64(data)) == data


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), MAX_INTEGER + 1, -MAX_INTEGER - 1, "\ud800", b"x", {"\udfff": 2}, (1,)]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(BadRequest):
        require_canonical({"a": [value]})


def test_json_is_read_down_to_a_fixed_depth() -> None:
    value: Any = {}
    for _ in range(MAX_NESTING - 1):
        value = {"a": value}
    require_canonical(value)
    with pytest.raises(BadRequest):
        require_canonical([value])


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":Infinity}', b"\xff", '"\\ud800"', "[" * 5000])
def test_what_is_no_json_is_refused(text: bytes | str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_json(text)
    assert refusal.value.code == "M_NOT_JSON"
