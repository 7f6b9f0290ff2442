"""Who has agreed to the association's texts (spec, "Terms of service at registration", "Server notices": consent)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from server.accounts.consents_store import Consent, add_consents, consents_of, drop_consents
from server.accounts.policies import Policy, in_force
from server.foundation.clock import Clock
from server.storage.database import Database, Writes


class Consents:
    """``is_demanded``: who has not agreed to the text in force may not speak until they do."""

    def __init__(
        self, database: Database, clock: Clock, policies: Sequence[Policy] = (), *, is_demanded: bool = False
    ) -> None:
        self._database = database
        self._clock = clock
        self.all_policies = tuple(policies)
        self.policies = tuple(in_force(policies))
        self._is_demanded = is_demanded and bool(self.policies)

    async def given_by(self, user_id: str) -> list[Consent]:
        """What somebody has agreed to, earlier versions too."""
        return await consents_of(self._database, user_id)

    async def missing(self, user_id: str) -> list[Policy]:
        """The texts in force that somebody has not agreed to."""
        if not self.policies:
            return []
        given = {(consent.policy, consent.version) for consent in await self.given_by(user_id)}
        return [policy for policy in self.policies if (policy.name, policy.version) not in given]

    async def owes(self, user_id: str) -> bool:
        """Whether somebody has to agree before they may speak. Costs no SQL where nothing is demanded."""
        return self._is_demanded and bool(await self.missing(user_id))

    def enter(self, user_id: str, writes: Writes) -> None:
        """Somebody agrees to all texts in force, with the rows of ``writes``."""
        now = self._clock.now_ms()
        add_consents(writes, user_id, [Consent(policy.name, policy.version, now) for policy in self.policies])

    async def accept(self, user_id: str) -> None:
        """Somebody agrees to all texts in force."""
        writes = Writes()
        self.enter(user_id, writes)
        await asyncio.shield(self._database.submit(writes))

    def drop(self, user_id: str, writes: Writes) -> None:
        """Forget somebody's consents."""
        drop_consents(writes, user_id)
