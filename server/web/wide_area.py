"""What the pages need of the links between nodes: the city's desk, and what an association does with what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from server.association.circulars.model import Attachment
from server.web.city_desk import CityDesk
from server.web.liaison import LiaisonDesk

# A value and the word that people read.
Words = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link with another node; ``words`` are what both agreed to share."""

    room_id: str
    name: str
    kind: str
    server: str
    state: str
    is_above: bool
    is_over: bool
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """An invitation code that was given out; the code itself is shown only once."""

    hash: str
    number: str
    name: str
    state: str
    is_open: bool
    expires_ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """A fresh invitation code, and what it offers."""

    code: str
    name: str
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalView:
    """Something of another server that was not taken."""

    ts: int
    times: int
    server: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a desk writes. Values as the forms carry them; ``deadline`` and ``expires`` are moments (ms)."""

    title: str
    text: str
    areas: tuple[str, ...]
    category: str
    priority: str
    kind: str
    office: str = ""
    choices: tuple[str, ...] = ()
    drill: bool = False
    for_officers: bool = False
    attachments: tuple[Attachment, ...] = ()
    deadline: int | None = None
    expires: int | None = None
    openness: str = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice, sent from here or come from above."""

    key: str
    title: str
    text: str
    from_words: str
    kind: str
    category: str
    priority: str
    is_alert: bool
    stage: str
    is_over: bool
    standing: str
    is_own: bool
    is_held: bool
    is_shown: bool
    may_close: bool
    sent_ts: int
    circular_id: str
    note: str
    reason: str
    attachments: Sequence[Attachment]
    deadline: int | None
    expires_ts: int
    for_officers: bool
    is_public: bool = False
    may_be_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicView:
    """A notice that everybody may read, without an account. ``words``: from whom, what about, for where."""

    id: str
    title: str
    lines: Sequence[str]
    words: str
    is_alert: bool
    is_cancelled: bool
    sent_ts: int
    changed_ts: int
    papers: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One node that a notice goes to; ``down_since_ts`` where its server does not answer. A federation passes it to
    ``below`` associations, of which ``told`` have told us something."""

    name: str
    via: str
    state: str
    down_since_ts: int | None
    cells: Sequence[str]
    below: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingView:
    """A node from which nothing has come back: since when the notice waits, since when its server does not answer."""

    name: str
    sent_ts: int
    down_since_ts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """How often a choice of a survey was made; ``percent`` of those who have answered."""

    choice: str
    votes: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyView:
    """The result of a survey in sum."""

    answered: int
    total: int
    results: Sequence[ResultView]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetView:
    """What has come back: a row for each node, sums of each federation of associations and of all. ``hidden``: how many
    associations hide something because it is small; that is in no sum."""

    heads: Sequence[str]
    rows: Sequence[RowView]
    sums: Sequence[tuple[str, Sequence[str]]]
    missing: Sequence[MissingView]
    hidden: int
    survey: SurveyView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """Whether something is what it says it is."""

    is_authentic: bool
    is_from_above: bool
    reason: str


class WideAreaDesk(Protocol):
    """Verbs. All raise ``Refused`` in plain words; ``officer`` is a user id."""

    @property
    def liaison(self) -> LiaisonDesk:
        """Where officers of two linked nodes talk."""

    @property
    def city(self) -> CityDesk:
        """How far associations have come, and what was asked of them."""

    @property
    def may_invite(self) -> bool:
        """Whether this node may have others below itself: a city, a federation of associations."""

    @property
    def invitable(self) -> Words:
        """Whom it may invite."""

    @property
    def categories(self) -> Words:
        """What notices are about."""

    @property
    def priorities(self) -> Words:
        """How urgent they are."""

    @property
    def kinds(self) -> Words:
        """What they ask of people."""

    @property
    def has_feed(self) -> bool:
        """Whether everybody may read its public notices (``/feeds``)."""

    async def public(self) -> Sequence[PublicView]:
        """What everybody may read, the newest first; raises ``NotFound`` where there is no such page here."""

    async def public_papers(self, notice_id: str) -> Sequence[Attachment]:
        """The files of one of them; none of what is not public."""

    def is_to_be_public(self, draft: Draft) -> bool:
        """Whether a draft would be for everybody; raises ``Refused`` where it cannot be."""

    async def make_public(self, officer: str, key: str, *, public: bool) -> None:
        """Let everybody read a notice from here, or no longer."""

    async def areas(self) -> Words:
        """The areas that notices can be for."""

    async def links(self, officer: str) -> Sequence[LinkView]:
        """All links, ended ones too."""

    async def codes(self, officer: str) -> Sequence[CodeView]:
        """Invitation codes, the newest first."""

    async def invite(self, officer: str, kind: str, name: str, area: tuple[str, str]) -> OfferView:
        """A code for one node that stands for an area (code, name)."""

    async def invite_list(self, officer: str, text: str) -> bytes:
        """Codes for all lines of a CSV file; answers one."""

    async def withdraw(self, officer: str, code_hash: str) -> None:
        """Nobody may use this code any more."""

    async def summary(self, officer: str, code: str) -> Sequence[str]:
        """What a code offers, in words; nothing is agreed by looking."""

    async def agree(self, officer: str, code: str) -> None:
        """Link with whoever has given out the code."""

    async def end(self, officer: str, room_id: str, reason: str) -> None:
        """End a link."""

    async def refusals(self, officer: str) -> Sequence[RefusalView]:
        """What was not taken of other servers, the newest first."""

    async def sent(self, officer: str) -> Sequence[NoticeView]:
        """What was sent from here, the newest first."""

    async def received(self, officer: str) -> Sequence[NoticeView]:
        """What has come from above, the newest first."""

    async def one(self, officer: str, key: str) -> NoticeView:
        """One notice."""

    async def reaches(self, officer: str, draft: Draft) -> Sequence[str]:
        """Whom a draft would go to directly."""

    async def send(self, officer: str, draft: Draft) -> str:
        """Send it; answers its key."""

    async def correct(
        self, officer: str, key: str, title: str, text: str, reason: str, attachments: tuple[Attachment, ...]
    ) -> None:
        """Put another text, and other files, in its place, everywhere."""

    async def cancel(self, officer: str, key: str, reason: str) -> None:
        """Take it back, everywhere."""

    async def close(self, officer: str, key: str) -> None:
        """End a survey or a safety check, everywhere."""

    async def approve(self, officer: str, key: str, note: str) -> None:
        """Let what waits go round."""

    async def decline(self, officer: str, key: str, reason: str) -> None:
        """Do not let it go round."""

    async def add_note(self, officer: str, key: str, note: str) -> None:
        """The association's own words below it."""

    async def sheet(self, officer: str, key: str) -> SheetView:
        """What has come back."""

    async def csv(self, officer: str, key: str) -> bytes:
        """The same as a file for a spreadsheet."""

    async def verify(self, item_id: str) -> VerdictView:
        """Whether a circular, poll or safety check is what it says."""
