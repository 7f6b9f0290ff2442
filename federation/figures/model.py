"""The words of figures: a report of one association about one notice, what is hidden in it, and sums of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from federation.links.model import MAX_NAME, NodeKind, Told, checked_code
from server.foundation.errors import InvalidParam

Content = dict[str, Any]
# ``None``: hidden, for it is small.
Figure = int | None
Section = dict[str, Figure]

FIGURES: Final = "jp.kairan.figures"
REPORT: Final = "jp.kairan.figures.report"
STATES: Final = ("held", "shown", "declined", "passed")
STATE_LABELS: Final = {
    "waiting": "まだ届いていません", "held": "役員の確認待ち", "shown": "回覧しました",
    "declined": "回覧しませんでした", "passed": "下へ伝えました",
}
MAX_FIGURE: Final = 10_000_000
_MOST_COLUMNS: Final = 60

# Columns that add up to ``total``, and columns that are sums of some of them.
REACH: Final = ("acknowledged", "opened", "seen", "paper", "not_yet")
SAFETY: Final = ("safe", "contact", "help", "read", "unread", "no_app")
_SUMS: Final[Mapping[Told, Mapping[str, frozenset[str]]]] = {
    Told.REACH: {"delivered": frozenset(REACH)},
    Told.SAFETY: {"answered": frozenset({"safe", "contact", "help"})},
    Told.ANSWERS: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one node tells about one notice. ``seq`` counts its reports; ``below``: to how many it passes the notice."""

    server: str
    name: str
    kind: NodeKind
    areas: tuple[str, ...]
    key: str
    revision: int
    state: str
    seq: int
    ts: int
    sections: Mapping[Told, Section] = field(default_factory=dict)
    below: int = 0

    def as_json(self) -> Content:
        """What is signed."""
        return {
            "type": REPORT, "server": self.server, "name": self.name, "kind": self.kind.value,
            "areas": list(self.areas), "notice": self.key, "revision": self.revision, "state": self.state,
            "seq": self.seq, "ts": self.ts, "below": self.below,
            **{told.value: dict(section) for told, section in self.sections.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Report:
        """Read that, also of strangers; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        if value["type"] != REPORT or value["state"] not in STATES:
            raise ValueError("no report")
        return cls(
            server=str(value["server"]), name=str(value["name"])[:MAX_NAME], kind=NodeKind(value["kind"]),
            areas=tuple(checked_code(str(code)) for code in value["areas"][:100]), key=str(value["notice"]),
            revision=_figure(value["revision"]), state=str(value["state"]), seq=_figure(value["seq"]),
            ts=int(value["ts"]), below=_figure(value.get("below", 0)),
            sections={told: _section(value[told.value]) for told in Told if told.value in value},
        )

    def says_the_same(self, other: Report | None) -> bool:
        """Whether nothing has moved."""
        return other is not None and (
            (self.name, self.areas, self.revision, self.state, self.sections, self.below)
            == (other.name, other.areas, other.revision, other.state, other.sections, other.below)
        )


def _figure(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_FIGURE:
        raise InvalidParam("人数が正しくありません")
    return value


def _section(value: Mapping[str, Any]) -> Section:
    if not isinstance(value, dict) or len(value) > _MOST_COLUMNS:
        raise InvalidParam("人数が正しくありません")
    found = {str(name): None if item is None else _figure(item) for name, item in value.items()}
    total = found.get("total")
    if total is not None and any(item is not None and item > total for item in found.values()):
        raise InvalidParam("人数が、全体の人数より多くなっています")
    return found


def hide_small(told: Told, section: Mapping[str, int], smallest: int) -> Section:
    """Without figures from 1 to ``smallest - 1``, and without what they could be worked out from.

    Where only one column is hidden, the next smallest goes with it; a sum goes with its parts. Where all together are
    too few, nothing is told.
    """
    shown: Section = dict(section)
    if smallest <= 1:
        return shown
    if 0 < section["total"] < smallest:
        return dict.fromkeys(section, None)
    hidden: set[str] = set()
    for group in _groups(told, section):
        hidden |= _hidden_in(group, section, smallest)
    for name, of in _SUMS[told].items():
        if name in section and (of & hidden or 0 < section[name] < smallest):
            hidden.add(name)
    return {name: None if name in hidden else value for name, value in shown.items()}


def _groups(told: Told, section: Mapping[str, int]) -> list[list[str]]:
    """Columns that add up to something that is told."""
    if told is not Told.ANSWERS:
        return [[name for name in section if name != "total" and name not in _SUMS[told]]]
    standing = [name for name in ("answered", "unanswered") if name in section]
    return [standing, [name for name in section if name != "total" and name not in standing]]


def _hidden_in(group: Sequence[str], section: Mapping[str, int], smallest: int) -> set[str]:
    hidden = {name for name in group if 0 < section[name] < smallest}
    if len(hidden) == 1:
        others = [name for name in group if name not in hidden]
        hidden |= set(sorted(others, key=lambda name: (section[name] == 0, section[name]))[:1])
    return hidden


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of reports. What is hidden counts as nothing; ``hidden`` says how many associations hide something."""

    sections: Mapping[Told, Mapping[str, int]]
    associations: int = 0
    hidden: int = 0

    @classmethod
    def of(cls, reports: Iterable[Report]) -> Figures:
        """Add them up."""
        found = list(reports)
        sums: dict[Told, dict[str, int]] = {}
        for report in found:
            for told, section in report.sections.items():
                columns = sums.setdefault(told, {})
                for name, figure in section.items():
                    columns[name] = columns.get(name, 0) + (figure or 0)
        hiding = [report for report in found if any(None in section.values() for section in report.sections.values())]
        return cls(sums, len(found), len(hiding))

    def get(self, told: Told) -> Mapping[str, int]:
        """One section, empty where nothing was told."""
        return self.sections.get(told, {})

    def as_json(self) -> Content:
        """For files and pages."""
        return {
            "associations": self.associations, "hidden": self.hidden,
            **{told.value: dict(section) for told, section in self.sections.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One node that the notice goes to. ``via`` is the federation of associations through which it goes, or empty."""

    server: str
    name: str
    kind: NodeKind
    via: str
    state: str
    since_ts: int
    report: Report | None = None
    # Since when its server does not answer us, where it does not.
    down_since_ts: int | None = None

    @property
    def is_missing(self) -> bool:
        """Whether nothing has come back yet."""
        return self.report is None

    @property
    def label(self) -> str:
        """For officers."""
        return STATE_LABELS[self.state]

    def as_json(self) -> Content:
        """For files and pages."""
        told: Content = {
            "name": self.name, "server": self.server, "kind": self.kind.value, "via": self.via, "state": self.state,
            "since_ts": self.since_ts, "down_since_ts": self.down_since_ts,
        }
        sections = self.report.sections if self.report is not None else {}
        return {**told, **{name.value: dict(section) for name, section in sections.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All that has come back about a notice: a row each, a sum for each federation of associations, and all."""

    key: str
    rows: Sequence[Row]
    groups: Mapping[str, Figures]
    total: Figures

    @property
    def missing(self) -> list[Row]:
        """Who has not received it."""
        return [row for row in self.rows if row.is_missing]

    def as_json(self) -> Content:
        """For files and pages."""
        return {
            "notice": self.key, "associations": [row.as_json() for row in self.rows],
            "federations": {name: figures.as_json() for name, figures in self.groups.items()},
            "city": self.total.as_json(),
        }
