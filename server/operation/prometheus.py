"""Figures in the text format of Prometheus ("Exposition formats", version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

Labels = tuple[tuple[str, str], ...]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Seconds; from a look into memory to a slow disk.
BUCKETS: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)


class Histogram:
    """How often something took how long."""

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """It took ``seconds`` this time."""
        place = next((place for place, limit in enumerate(BUCKETS) if seconds <= limit), len(BUCKETS))
        self._counts[place] += 1
        self._sum += seconds

    def lines(self, name: str, labels: Labels = ()) -> Iterator[str]:
        """The samples of it."""
        total = 0
        for limit, count in zip((*BUCKETS, float("inf")), self._counts, strict=True):
            total += count
            shown = "+Inf" if limit == float("inf") else f"{limit:g}"
            yield _sample(f"{name}_bucket", (*labels, ("le", shown)), total)
        yield _sample(f"{name}_sum", labels, self._sum)
        yield _sample(f"{name}_count", labels, total)


def family(name: str, kind: str, purpose: str, samples: Mapping[Labels, float]) -> Iterator[str]:
    """A counter or gauge with all its samples."""
    yield from heading(name, kind, purpose)
    for labels, value in samples.items():
        yield _sample(name, labels, value)


def histogram(name: str, purpose: str, histograms: Mapping[Labels, Histogram]) -> Iterator[str]:
    """A histogram for each of several labels."""
    yield from heading(name, "histogram", purpose)
    for labels, found in histograms.items():
        yield from found.lines(name, labels)


def heading(name: str, kind: str, purpose: str) -> Sequence[str]:
    """What stands above the samples."""
    return (f"# HELP {name} {purpose}", f"# TYPE {name} {kind}")


def _sample(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(word)}"' for key, word in labels)
    number = str(value) if isinstance(value, int) else f"{value:.6g}" if value < 1e6 else f"{value:.0f}"
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _escaped(word: str) -> str:
    return word.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
