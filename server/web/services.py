"""What the pages need of the node; the assembly brings it (STYLE guideline 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from server.accounts.accounts import Accounts
from server.accounts.interactive_auth import InteractiveAuth
from server.accounts.looks import Looks
from server.accounts.web_sessions import WebSessions
from server.association.bookings.actions import Bookings
from server.association.bookings.model import Booking, Facility
from server.association.circulars.actions import Circulars
from server.association.circulars.again import Again
from server.association.circulars.ledger import CircularLedger
from server.association.circulars.pdf_reading import PdfReading
from server.association.circulars.planning import PlannedCirculars
from server.association.circulars.reader import CircularReader
from server.association.circulars.stamps import Stamps
from server.association.circulars.translating import CircularTranslations
from server.association.duties.actions import Duties
from server.association.examples.actions import Examples
from server.association.garbage.actions import Garbage
from server.association.gatherings.city import CityCalendar
from server.association.hazards.actions import Hazards
from server.association.inquiries.actions import Inquiries
from server.association.members.departures import Departures
from server.association.members.editor import MemberEditor
from server.association.members.handovers import Handovers
from server.association.members.invitations import Invitations
from server.association.members.members import Members
from server.association.members.papers import Papers
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.actions import Polls
from server.association.polls.slips import Slips
from server.association.polls.yearly import PollYear
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.association.standing_papers.actions import StandingPapers
from server.calendars.app_passwords import AppPasswords
from server.calendars.feeds import Feeds
from server.config import Settings
from server.foundation.clock import Clock
from server.http.media_services import MediaServices
from server.http.rate_limits import RateLimits
from server.notifications.pushers import Pushers
from server.notifications.web_subscriptions import Asked
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.web.common_services import CommonServices
from server.web.gathering_services import GatheringServices
from server.web.sharing import SharingDesk
from server.web.well_being import Facts
from server.web.wide_area import WideAreaDesk


class TrialVerbs(Protocol):
    """試用版 (``server/operation/trying.py``). All raise ``Refused``; ``officer`` is a user id."""

    def standing(self, officer: str) -> TrialState:
        """How it stands."""

    async def begin(self, officer: str) -> None:
        """Made-up neighbours move in."""

    async def keep(self, officer: str) -> None:
        """They move out; what was set up stays."""

    async def throw_away(self, officer: str) -> None:
        """Everything since the beginning goes, with a new start of the node."""


class TrialState(Protocol):
    """Whether a trial goes on, whether all of it can be thrown away, how many are made up."""

    @property
    def goes_on(self) -> bool: ...

    @property
    def can_be_thrown_away(self) -> bool: ...

    @property
    def made_up(self) -> int: ...


class PushKeys(Protocol):
    """The node's keys for Web Push (``server/notifications/web_push_keys.py``, loaded late)."""

    @property
    def public(self) -> str:
        """For ``applicationServerKey``."""

    def read_answer_token(self, token: str, now_ms: int) -> Asked:
        """What a button inside a notification is good for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeServices:
    """What every node has."""

    settings: Settings
    clock: Clock
    limits: RateLimits
    interactive_auth: InteractiveAuth
    accounts: Accounts
    sessions: WebSessions
    looks: Looks
    pushers: Pushers
    push_keys: Callable[[], Awaitable[PushKeys]]
    rooms: Rooms
    receipts: Receipts
    media: MediaServices
    app_passwords: AppPasswords
    feeds: Feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterServices:
    """Who belongs to the association, changing it, inviting, leaving, printing."""

    members: Members
    editor: MemberEditor
    exchange: RosterExchange
    invitations: Invitations
    departures: Departures
    papers: Papers


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyServices:
    """Safety checks: verbs, and what is seen of them."""

    checks: SafetyChecks
    desk: SafetyDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class CircularServices:
    """Circulars: verbs, and what is seen of them."""

    verbs: Circulars
    reader: CircularReader
    ledger: CircularLedger
    planned: PlannedCirculars
    translations: CircularTranslations | None
    again: Again
    pdf_reading: PdfReading
    stamps: Stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyServices:
    """Bookings, and what else neighbours use their association for from day to day."""

    bookings: Bookings
    booking_as_ics: Callable[[Facility, Booking], bytes]
    garbage: Garbage
    duties: Duties
    hazards: Hazards
    city: CityCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingServices:
    """Keeping the association going: whether all is well, handing over, trying it out."""

    facts: Callable[[], Awaitable[Facts]]
    handovers: Callable[[], Handovers]
    trial: Callable[[], TrialVerbs]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """Everything together."""

    node: NodeServices
    roster: RosterServices
    safety: SafetyServices
    polls: Polls
    slips: Slips
    polls_between: Callable[[str, int, int], Awaitable[PollYear]]
    examples: Examples
    circulars: CircularServices
    gatherings: GatheringServices
    papers: StandingPapers
    daily: DailyServices
    common: CommonServices
    inquiries: Inquiries
    wide_area: Callable[[], Awaitable[WideAreaDesk]]
    sharing: Callable[[], Awaitable[SharingDesk]]
    keeping: KeepingServices

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        return self.node.settings

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        return self.node.clock

    @property
    def members(self) -> Members:
        """Who belongs to the association."""
        return self.roster.members
