"""Who is told of an event, and how: the predefined rules once for all, then those who have changed something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from server.accounts.account_data import AccountData
from server.accounts.push_rule_changes import RuleChanges
from server.accounts.push_rules import PushRules
from server.foundation.ids import server_name_of
from server.notifications.default_rules import Judgement, judge
from server.notifications.event_view import EventView
from server.notifications.outcomes import SILENT, TOLD_OTHERWISE, Outcome, flags_of
from server.notifications.rulesets import Ruleset, make_ready
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom

_NO_ONE: Final[frozenset[str]] = frozenset()


class Verdict(NamedTuple):
    """What all members here but the sender are told of an event, and who is told otherwise."""

    common: Outcome
    special: dict[str, Outcome]

    @property
    def flags(self) -> int:
        """The bits of the event that say so."""
        return flags_of(self.common) | (TOLD_OTHERWISE if self.special else 0)

    def of(self, user_id: str) -> Outcome:
        """What a member other than the sender is told."""
        return self.special.get(user_id, self.common)


class Judges:
    """Everybody's push rules, ready to be asked. Costs no SQL."""

    def __init__(self, push_rules: PushRules, account_data: AccountData) -> None:
        self._push_rules = push_rules
        self._account_data = account_data
        self._ready: dict[str, tuple[RuleChanges, Ruleset]] = {}

    def verdict(self, room: LiveRoom, event: Event) -> Verdict | None:
        """Who is told of an event that is about to enter a room; ``None`` where nobody is."""
        view = EventView(room, event)
        judgement = judge(view)
        special = self._special(view, judgement)
        if not special and not judgement.common.outcome.notify:
            return None
        return Verdict(judgement.common.outcome, special)

    def _special(self, view: EventView, judgement: Judgement) -> dict[str, Outcome]:
        """Who is told otherwise than all."""
        room, sender, common = view.room, view.event.sender, judgement.common.outcome
        invited = _invited(view)
        here = room.joined_here
        found = {
            user_id: standing.outcome for user_id, standing in judgement.special.items()
            if user_id in here or user_id in invited
        }
        changed = self._push_rules.changed
        for user_id in (changed & here) | (changed & invited) if changed else _NO_ONE:
            found[user_id] = self._ruleset(user_id).outcome(view, judgement.special.get(user_id, judgement.common))
        for user_id in self._ignoring(sender, here | invited if invited else here):
            found[user_id] = SILENT
        found.pop(sender, None)
        # Whoever is invited is no member yet, so that what is told to all is not told to them.
        return {
            user_id: outcome for user_id, outcome in found.items()
            if (outcome.notify if user_id in invited else outcome != common)
        }

    def _ignoring(self, sender: str, here: Iterable[str]) -> list[str]:
        ignoring = self._account_data.ignoring
        if not ignoring:
            return []
        return [user_id for user_id in ignoring.keys() & here if sender in ignoring[user_id]]

    def _ruleset(self, user_id: str) -> Ruleset:
        changes = self._push_rules.changes(user_id)
        assert changes is not None  # it is in ``changed``
        known = self._ready.get(user_id)
        if known is None or known[0] is not changes:
            known = self._ready[user_id] = changes, make_ready(user_id, changes)
        return known[1]


def _invited(view: EventView) -> frozenset[str]:
    """The user of this node whom the event invites."""
    event = view.event
    if event.type != "m.room.member" or event.state_key is None or event.content.get("membership") != "invite":
        return _NO_ONE
    is_ours = server_name_of(event.state_key) == view.room.server_name and event.state_key not in view.room.joined_here
    return frozenset({event.state_key}) if is_ours else _NO_ONE
