"""Which small picture answers a request (client-server API, section "Thumbnails")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from server.foundation.errors import InvalidParam

Method = Literal["crop", "scale"]
_MAX_SIDE: Final = 2**31


@dataclass(frozen=True, slots=True)
class ThumbnailSize:
    """Width and height in pixels; ``crop`` fills them, ``scale`` fits inside them. ``animated``: moving, if it can."""

    width: int
    height: int
    method: Method
    animated: bool = False

    @property
    def name(self) -> str:
        """What its files are called, without their ending."""
        return f"{self.width}x{self.height}-{self.method}{'-animated' if self.animated else ''}"

    def covers(self, width: int, height: int) -> bool:
        """Whether this size is large enough for what is asked."""
        return self.width >= width and self.height >= height


# The sizes that the spec asks every server to have.
CROPPED: Final = (ThumbnailSize(32, 32, "crop"), ThumbnailSize(96, 96, "crop"))
SCALED: Final = (
    ThumbnailSize(320, 240, "scale"), ThumbnailSize(640, 480, "scale"), ThumbnailSize(800, 600, "scale"),
)


def size_for(width: int, height: int, method: str, *, animated: bool = False) -> ThumbnailSize:
    """The smallest of the five sizes that is at least as large as asked, or the largest.

    Where a crop is asked larger than any crop, a scaled one answers: the client cuts it itself. Only five pictures, and
    five moving ones, can ever be made of a file, whatever is asked. Raises ``InvalidParam``.
    """
    if method not in ("crop", "scale"):
        raise InvalidParam('"method" must be "crop" or "scale"')
    if not (0 < width < _MAX_SIDE and 0 < height < _MAX_SIDE):
        raise InvalidParam('"width" and "height" must be positive numbers')
    candidates = (*CROPPED, *SCALED) if method == "crop" else SCALED
    size = next((size for size in candidates if size.covers(width, height)), SCALED[-1])
    return replace(size, animated=animated)
