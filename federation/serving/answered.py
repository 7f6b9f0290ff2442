"""What transactions were answered, for servers that ask again because the answer was lost.

In memory: after a restart a transaction is taken anew, and finds all its events and messages known.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_KEPT: Final = 2_000


class AnsweredTransactions:
    """The newest of all servers."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def find(self, origin: str, txn_id: str) -> bytes | None:
        """What this transaction was answered before."""
        return self._answers.get((origin, txn_id))

    def keep(self, origin: str, txn_id: str, answer: bytes) -> None:
        """It was answered so."""
        self._answers[origin, txn_id] = answer
        if len(self._answers) > _KEPT:
            self._answers.popitem(last=False)
