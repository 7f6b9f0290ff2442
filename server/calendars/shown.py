"""Objects in the form that a report wanted, kept for the next time: apps ask for the same weeks again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

from server.calendars.expansion import DataRequest, answer_data
from server.calendars.model import Item

_KEPT_BYTES: Final = 3 * 1024 * 1024
_OVERHEAD: Final = 300


class ShownObjects:
    """Answers of ``answer_data`` by what they were made from, which the ETag names; safe to use in threads."""

    def __init__(self, limit: int = _KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, DataRequest], bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def known(self, item: Item, wanted: DataRequest) -> bytes | None:
        """The object as ``wanted``, if it was shown so before."""
        key = (item.head.etag, wanted)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def all_of(self, items: Iterable[Item], wanted: DataRequest) -> list[bytes]:
        """The objects as ``wanted``; CPU-bound."""
        return [self.known(item, wanted) or self._make(item, wanted) for item in items]

    def _make(self, item: Item, wanted: DataRequest) -> bytes:
        data = answer_data(item.data, wanted)
        key = (item.head.etag, wanted)
        with self._lock:
            self._size += len(data) + _OVERHEAD - (len(self._kept[key]) + _OVERHEAD if key in self._kept else 0)
            self._kept[key] = data
            while self._size > self._limit:
                self._size -= len(self._kept.popitem(last=False)[1]) + _OVERHEAD
        return data
