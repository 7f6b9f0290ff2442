"""Hashes, ids, redaction and signatures against the reference vectors."""

from __future__ import annotations

from typing import Any

import pytest

from server.foundation.canonical_json import canonical_json, parse_json, require_canonical
from server.foundation.errors import BadRequest
from server.foundation.signatures import SigningKey, from_unpadded_base64, sign_json, signature_is_valid
from server.rooms.event import content_hash, event_id_from_hash, reference_hash, seal
from server.rooms.redaction import redact
from server.rooms.room_versions import ROOM_VERSIONS
from tests.rules.rooms import vectors

EVENTS = [case for case in vectors("events") if case["version"] in ROOM_VERSIONS]
EVENT_NAMES = [f"v{case['version']} {case['type']}" for case in EVENTS]


def reference_key() -> tuple[str, SigningKey]:
    key = vectors("signing_key")
    return key["server"], SigningKey.from_seed(key["key_id"].partition(":")[2], from_unpadded_base64(key["seed"]))


@pytest.mark.parametrize("case", vectors("canonical_json"), ids=lambda case: ascii(case["text"][:30]))
def test_canonical_json_is_written_as_others_write_it(case: dict[str, Any]) -> None:
    value = parse_json(case["text"])
    if not case["strict_ok"]:
        with pytest.raises(BadRequest):
            require_canonical(value)
        return
    require_canonical(value)
    assert canonical_json(value).decode() == case["out"]


@pytest.mark.parametrize("case", EVENTS, ids=EVENT_NAMES)
def test_redaction_keeps_what_others_keep(case: dict[str, Any]) -> None:
    expected = {name: value for name, value in case["redacted"].items() if name != "unsigned"}
    assert redact(case["signed"], ROOM_VERSIONS[case["version"]]) == expected


@pytest.mark.parametrize("case", EVENTS, ids=EVENT_NAMES)
def test_an_event_has_the_hashes_and_the_id_that_others_find(case: dict[str, Any]) -> None:
    version = ROOM_VERSIONS[case["version"]]
    assert content_hash(case["in"]) == case["content_sha256"]
    assert event_id_from_hash(reference_hash(case["signed"], version), version) == case["event_id"]


@pytest.mark.parametrize("case", EVENTS, ids=EVENT_NAMES)
def test_a_sealed_event_is_signed_as_others_sign_it(case: dict[str, Any]) -> None:
    server, key = reference_key()
    event = seal(dict(case["in"]), ROOM_VERSIONS[case["version"]], server, key)
    assert event.pdu == case["signed"]
    assert (event.event_id, event.room_id) == (case["event_id"], case["room_id"])


def test_redaction_leaves_the_event_itself_whole() -> None:
    case = EVENTS[0]
    before = canonical_json(case["signed"])
    redact(case["signed"], ROOM_VERSIONS[case["version"]])
    assert canonical_json(case["signed"]) == before


@pytest.mark.parametrize("case", vectors("signed_json"), ids=lambda case: ascii(str(case["in"])[:30]))
def test_json_is_signed_as_others_sign_it(case: dict[str, Any]) -> None:
    server, key = reference_key()
    assert sign_json(case["in"], server, key) == case["out"]


@pytest.mark.parametrize("case", vectors("verify_json"), ids=lambda case: case["name"])
def test_a_signature_is_judged_as_others_judge_it(case: dict[str, Any]) -> None:
    key = vectors("signing_key")
    public = from_unpadded_base64(key["public"])
    assert signature_is_valid(case["object"], case["server"], key["key_id"], public) is case["good"]


def test_a_key_of_the_wrong_length_proves_nothing() -> None:
    server, key = reference_key()
    signed = sign_json({"one": 1}, server, key)
    assert signature_is_valid(signed, server, key.key_id, key.public)
    assert not signature_is_valid(signed, server, key.key_id, key.public[:31])
    assert not signature_is_valid(signed, server, key.key_id, b"")
