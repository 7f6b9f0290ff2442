"""Authorization rule 4.3.1 (5.4.1 in versions 8 and up): an invite that an identity server has vouched for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from server.foundation.errors import Forbidden
from server.foundation.signatures import from_unpadded_base64, signature_is_valid
from server.rooms.auth_rules.selection import third_party_token
from server.rooms.event import Event, StateKey


def check_third_party_invite(event: Event, state: Mapping[StateKey, Event]) -> None:
    """The invited one is who the token was issued for, and one of the invite's public keys has signed it.

    That the invited one is not banned is checked by the caller. Raises ``Forbidden``.
    """
    token = third_party_token(event.content)  # 4.3.1.2, 4.3.1.3
    if token is None:
        raise Forbidden("The third party invite is not signed")
    signed: dict[str, Any] = event.content["third_party_invite"]["signed"]
    if signed.get("mxid") != event.state_key:  # 4.3.1.4
        raise Forbidden("The third party invite is for someone else")
    issued = state.get(("m.room.third_party_invite", token))
    if issued is None:  # 4.3.1.5
        raise Forbidden("There is no such third party invite in this room")
    if issued.sender != event.sender:  # 4.3.1.6
        raise Forbidden("The third party invite was issued by someone else")
    if not any(_has_signed(signed, key) for key in _public_keys(issued.content)):  # 4.3.1.7
        raise Forbidden("The third party invite is not signed by a key of the invite")


def _public_keys(content: Mapping[str, Any]) -> Iterator[bytes]:
    listed = content.get("public_keys")
    entries = [content, *listed] if isinstance(listed, list) else [content]
    for entry in entries:
        text = entry.get("public_key") if isinstance(entry, dict) else None
        if isinstance(text, str):
            try:
                yield from_unpadded_base64(text)
            except ValueError:
                continue


def _has_signed(signed: dict[str, Any], public_key: bytes) -> bool:
    signatures = signed.get("signatures")
    if not isinstance(signatures, dict):
        return False
    return any(
        key_id.startswith("ed25519:") and signature_is_valid(signed, server, key_id, public_key)
        for server, by_key in signatures.items()
        if isinstance(by_key, dict)
        for key_id in by_key
    )
