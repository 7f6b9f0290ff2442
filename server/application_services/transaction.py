"""One transaction: what a service is told at once (spec, ``PUT /_matrix/app/v1/transactions/{txnId}``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

Json = dict[str, Any]

_EPHEMERAL: Final = ("ephemeral", "de.sorunome.msc2409.ephemeral")
_TO_DEVICE: Final = ("to_device", "de.sorunome.msc2409.to_device")
_COUNTS: Final = ("device_one_time_keys_count", "org.matrix.msc3202.device_one_time_keys_count",
                  "org.matrix.msc3202.device_one_time_key_counts")
_FALLBACKS: Final = ("device_unused_fallback_key_types", "org.matrix.msc3202.device_unused_fallback_key_types")
_LISTS: Final = ("device_lists", "org.matrix.msc3202.device_lists")


@dataclass(frozen=True, slots=True)
class DeviceNews:
    """What services that encrypt are told besides."""

    to_device: Sequence[Json]
    changed: Sequence[str]
    counts: Json
    fallbacks: Json


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is new after ``after``, up to ``until``. ``devices`` are those whose messages are among it."""

    after: int
    until: int
    events: Sequence[bytes]
    ephemeral: Sequence[Json] = ()
    device_news: DeviceNews | None = None
    devices: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        news = self.device_news
        return not (self.events or self.ephemeral or (news is not None and (news.to_device or news.changed)))

    def body(self) -> bytes:
        """The JSON that is sent. Each service finds what it reads under the name that it knows."""
        said: Json = {"events": [orjson.Fragment(event) for event in self.events]}
        if self.ephemeral:
            said |= dict.fromkeys(_EPHEMERAL, self.ephemeral)
        news = self.device_news
        if news is not None:
            said |= dict.fromkeys(_TO_DEVICE, news.to_device)
            lists: Json = {"changed": news.changed, "left": []}
            said |= dict.fromkeys(_LISTS, lists)
            said |= dict.fromkeys(_COUNTS, news.counts) | dict.fromkeys(_FALLBACKS, news.fallbacks)
        return orjson.dumps(said)
