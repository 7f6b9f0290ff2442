"""Building the verbs of a trial; loaded with the pages."""

from __future__ import annotations

from typing import Final

from federation.links.inbox_store import is_anything_between_nodes
from server.assembly.departing import departures_of
from server.assembly.node import Node
from server.association.safety_checks.desk import SafetyDesk
from server.operation.trial import is_trial
from server.operation.trying import Trial, TrialParts

__all__ = ["is_trial", "trial_of"]

# So that the answer arrives before the node goes.
_FAREWELL_S: Final = 1.0


def trial_of(node: Node) -> Trial:
    """The verbs, made once."""
    core, association = node.core, node.association

    async def is_linked() -> bool:
        if not await is_anything_between_nodes(core.database):
            return False
        return any(link.is_in_force for link in (await core.late.wide_area.open()).book.links())

    def begin_again() -> None:
        if core.late.begin_again is not None:
            core.clock.call_later(_FAREWELL_S, core.late.begin_again)

    if core.late.trial is None:
        core.late.trial = Trial(TrialParts(
            core.settings, core.clock, association.members, association.editor, core.accounts, departures_of(node),
            association.polls, association.safety_checks, SafetyDesk(core.database, association.members), is_linked,
            begin_again,
        ))
    return core.late.trial
