"""The words of progress: how far an association has come with Kairan, told to those above only where its desk says so.

Figures of persons only, never names; small ones are hidden before they leave the association.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from federation.figures.model import MAX_FIGURE, Content, Figure
from federation.links.model import MAX_NAME, checked_code
from server.foundation.errors import InvalidParam

PROGRESS: Final = "jp.kairan.progress"
# Who was there lately, and which circulars count.
ACTIVE_DAYS: Final = 30
CIRCULAR_DAYS: Final = 90
COLUMNS: Final = ("households", "residents", "registered", "active", "circulars", "expected", "read")
_PARTS: Final = (
    ("registered", "residents"), ("active", "registered"), ("active", "residents"), ("read", "expected"),
)
_MOST_AREAS: Final = 100
_MOST_READERS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one association tells of itself. ``to``: the servers that may have it; the newest (``ts``) holds.

    Without ``is_shared`` it has no figures: whoever has older ones forgets them. Of ``figures``: persons on the roster
    (``residents``), with an account (``registered``), there in the last 30 days (``active``); ``circulars`` of the last
    90 days, the persons whom they should reach (``expected``, each circular counted) and who has seen them (``read``).
    """

    server: str
    name: str
    areas: tuple[str, ...]
    to: tuple[str, ...]
    ts: int
    is_shared: bool
    figures: Mapping[str, Figure] = field(default_factory=dict)

    def as_json(self) -> Content:
        """What is signed."""
        told: Content = {
            "type": PROGRESS, "server": self.server, "name": self.name, "areas": list(self.areas),
            "to": list(self.to), "ts": self.ts, "shared": self.is_shared,
        }
        return {**told, "figures": dict(self.figures)} if self.is_shared else told

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Progress:
        """Read that, also of strangers; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        if value["type"] != PROGRESS or type(value["shared"]) is not bool or type(value["ts"]) is not int:
            raise ValueError("no progress")
        shared: bool = value["shared"]
        return cls(
            server=str(value["server"]), name=str(value["name"])[:MAX_NAME],
            areas=tuple(checked_code(str(code)) for code in value["areas"][:_MOST_AREAS]),
            to=tuple(str(server) for server in value["to"][:_MOST_READERS]), ts=value["ts"], is_shared=shared,
            figures=_figures(value["figures"]) if shared else {},
        )

    def says_the_same(self, other: Progress | None) -> bool:
        """Whether nothing has moved."""
        return other is not None and (
            (self.name, self.areas, self.to, self.is_shared, dict(self.figures))
            == (other.name, other.areas, other.to, other.is_shared, dict(other.figures))
        )


def hide_small(counted: Mapping[str, int], smallest: int) -> dict[str, Figure]:
    """Without figures from 1 to ``smallest - 1``, and without those from which such a rest could be worked out."""
    shown: dict[str, Figure] = dict(counted)
    if smallest <= 1:
        return shown
    hidden = {name for name in ("households", "residents") if 0 < counted[name] < smallest}
    if "residents" in hidden:
        return {name: counted[name] if name == "circulars" else None for name in counted}
    for part, whole in _PARTS:
        rest = counted[whole] - counted[part]
        if whole in hidden or 0 < counted[part] < smallest or 0 < rest < smallest:
            hidden.add(part)
    return {name: None if name in hidden else value for name, value in shown.items()}


def _figures(value: Mapping[str, Any]) -> dict[str, Figure]:
    found: dict[str, Figure] = {name: _figure(value[name]) for name in COLUMNS}
    for part, whole in _PARTS:
        some, every = found[part], found[whole]
        if some is not None and every is not None and some > every:
            raise InvalidParam("人数が、全体の人数より多くなっています")
    return found


def _figure(value: object) -> Figure:
    if value is None or (type(value) is int and 0 <= value <= MAX_FIGURE):
        return value
    raise InvalidParam("人数が正しくありません")
