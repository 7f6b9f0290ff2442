"""Everybody's push rules: the predefined ones, and what each user has changed of them (few do).

The changes are kept as account data of type ``m.push_rules``, so that they come down ``/sync``; readers of account
data see the whole rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import KeysView
from typing import Any

import orjson

from server.accounts.account_data import PUSH_RULES, AccountData
from server.accounts.account_data_store import items_of_type
from server.accounts.default_push_rules import Rule
from server.accounts.push_rule_changes import NO_CHANGES, RuleChanges, parse_actions, parse_rule
from server.storage.database import Database, Writes


class PushRules:
    """Reading costs no SQL: all changes are in memory."""

    def __init__(self, database: Database, account_data: AccountData) -> None:
        self._database = database
        self._account_data = account_data
        self._changes: dict[str, RuleChanges] = {}
        account_data.present(PUSH_RULES, self.content)

    async def open(self) -> None:
        """Learn who has changed something."""
        for user_id, item in await items_of_type(self._database, [PUSH_RULES]):
            self._changes[user_id] = RuleChanges.from_json(orjson.loads(item.content))

    def changes(self, user_id: str) -> RuleChanges | None:
        """What the user has changed; ``None`` where all is as predefined."""
        return self._changes.get(user_id)

    @property
    def changed(self) -> KeysView[str]:
        """Who has changed something."""
        return self._changes.keys()

    def rules(self, user_id: str) -> dict[str, list[Rule]]:
        """All rules of a user by kind, in the order in which they are tried."""
        return self._changes.get(user_id, NO_CHANGES).rules(user_id)

    def rule(self, user_id: str, kind: str, rule_id: str) -> Rule:
        """One rule; raises ``NotFound``."""
        return self._changes.get(user_id, NO_CHANGES).find(user_id, kind, rule_id)

    def content(self, user_id: str) -> dict[str, Any]:
        """The content of ``m.push_rules``."""
        return {"global": self.rules(user_id)}

    async def put(
        self, user_id: str, kind: str, rule_id: str, body: dict[str, Any],
        *, before: str | None = None, after: str | None = None,
    ) -> None:
        """Add or replace a rule of the user's own; raises ``Refused`` for a malformed one."""
        rule = parse_rule(kind, rule_id, body)
        await self._keep(user_id, self._of(user_id).with_rule(kind, rule, before, after))

    async def remove(self, user_id: str, kind: str, rule_id: str) -> None:
        """Remove a rule of the user's own; raises ``NotFound``."""
        await self._keep(user_id, self._of(user_id).without_rule(kind, rule_id))

    async def enable(self, user_id: str, kind: str, rule_id: str, enabled: bool) -> None:
        """Switch a rule on or off; raises ``NotFound``."""
        self.rule(user_id, kind, rule_id)
        await self._keep(user_id, self._of(user_id).with_enabled(kind, rule_id, enabled))

    async def set_actions(self, user_id: str, kind: str, rule_id: str, actions: object) -> None:
        """Let a rule do something else; raises ``NotFound`` and ``Refused``."""
        self.rule(user_id, kind, rule_id)
        await self._keep(user_id, self._of(user_id).with_actions(kind, rule_id, parse_actions(actions)))

    def _of(self, user_id: str) -> RuleChanges:
        return self._changes.get(user_id, NO_CHANGES)

    async def _keep(self, user_id: str, changes: RuleChanges) -> None:
        """In memory at once, so that two changes at a time see each other; written in the order they were made."""
        old = self._changes.get(user_id)
        writes = Writes()
        self._account_data.add(writes, user_id, "", PUSH_RULES, changes.as_json())
        writes.on_failure.append(lambda: self._restore(user_id, old))
        self._changes[user_id] = changes
        await asyncio.shield(self._database.submit(writes))

    def _restore(self, user_id: str, old: RuleChanges | None) -> None:
        if old is None:
            self._changes.pop(user_id, None)
        else:
            self._changes[user_id] = old
