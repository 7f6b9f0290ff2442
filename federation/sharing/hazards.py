"""A neighbour's hazard report as it is told and read: what, where, how it stands; never by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from federation.sharing.contents import MAX_TEXT, MAX_TITLE, checked_line, checked_number
from federation.sharing.model import Content
from server.association.hazards.model import HazardKind, HazardState
from server.foundation.errors import InvalidParam
from server.media.model import Mxc

_MAX_URL: Final = 300


@dataclass(frozen=True, slots=True)
class FarHazard:
    """A report of a neighbour. ``photo`` is the address of a file on its server, or empty."""

    id: str
    kind: HazardKind
    place: str
    text: str
    state: HazardState
    photo: str
    reported_ms: int
    changed_ms: int

    def as_json(self) -> Content:
        """The value."""
        return {
            "kind": self.kind.value, "place": self.place, "text": self.text, "state": self.state.value,
            "photo": self.photo, "reported_ts": self.reported_ms, "changed_ts": self.changed_ms,
        }

    @property
    def body(self) -> str:
        """For every client."""
        return f"【危険の知らせ】{self.kind.label}：{self.place}（{self.state.label}）"


def read_hazard(thing_id: str, value: Mapping[str, Any]) -> FarHazard:
    """Read one; raises ``InvalidParam``, ``KeyError``, ``TypeError`` or ``ValueError``."""
    photo, state = value["photo"], HazardState(value["state"])
    if not isinstance(photo, str) or len(photo) > _MAX_URL:
        raise ValueError("photo")
    if photo:
        Mxc.parse(photo)
    if state is HazardState.WITHDRAWN:
        raise InvalidParam("取り下げた知らせです")
    return FarHazard(
        thing_id, HazardKind(value["kind"]), checked_line(value["place"], MAX_TITLE),
        checked_line(value["text"], MAX_TEXT, least=0), state, photo, checked_number(value["reported_ts"]),
        checked_number(value["changed_ts"]),
    )
