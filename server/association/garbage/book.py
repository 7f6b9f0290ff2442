"""What holds in each block, in memory; it holds only what is committed."""

from __future__ import annotations

from server.association.garbage.model import BlockPlan, DayOff


class GarbageBook:
    """Plans by block and the exceptions of each. Changed by the projection, by nobody else."""

    def __init__(self) -> None:
        self._plans: dict[str, BlockPlan] = {}
        self._changes: dict[str, dict[str, DayOff]] = {}
        self.revision = 0

    def enter_plan(self, plan: BlockPlan) -> None:
        """What holds in a block now."""
        self._plans[plan.block_id] = plan.with_rules()
        self.revision = max(self.revision, plan.revision)

    def enter_change(self, change: DayOff, blocks: list[str]) -> None:
        """An exception as it is now."""
        for block_id in blocks:
            self._changes.setdefault(block_id, {})[change.id] = change
        self.revision = max(self.revision, change.revision)

    def plan(self, block_id: str) -> BlockPlan | None:
        """What holds in a block."""
        return self._plans.get(block_id)

    def changes(self, block_id: str) -> list[DayOff]:
        """The exceptions of a block, also those that were taken back."""
        return list(self._changes.get(block_id, {}).values())

    def blocks_of(self, change_id: str) -> list[str]:
        """Where an exception holds."""
        return [block_id for block_id, found in self._changes.items() if change_id in found]
