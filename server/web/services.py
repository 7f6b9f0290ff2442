"""What the pages need of the node; the assembly brings it (STYLE guideline 9)."""

from __future__ import annotations

from dataclasses import dataclass

from server.accounts.accounts import Accounts
from server.accounts.web_sessions import WebSessions
from server.association.members.editor import MemberEditor
from server.association.members.invitations import Invitations
from server.association.members.members import Members
from server.association.members.papers import Papers
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.actions import Polls
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.calendars.app_passwords import AppPasswords
from server.config import Settings
from server.foundation.clock import Clock
from server.http.media_services import MediaServices
from server.http.rate_limits import RateLimits
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeServices:
    """What every node has."""

    settings: Settings
    clock: Clock
    limits: RateLimits
    accounts: Accounts
    sessions: WebSessions
    rooms: Rooms
    receipts: Receipts
    media: MediaServices
    app_passwords: AppPasswords


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterServices:
    """Who belongs to the association, changing it, inviting, printing."""

    members: Members
    editor: MemberEditor
    exchange: RosterExchange
    invitations: Invitations
    papers: Papers


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyServices:
    """Safety checks: verbs, and what is seen of them."""

    checks: SafetyChecks
    desk: SafetyDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """Everything together."""

    node: NodeServices
    roster: RosterServices
    safety: SafetyServices
    polls: Polls

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
