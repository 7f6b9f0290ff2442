"""What media needs from other servers; ``federation.outbound`` brings it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from server.foundation.errors import Refused
from server.media.model import Mxc


class ServerSilent(Refused):
    """The other server itself does not answer, whatever it is asked for (404, as ``server.rooms.ports.PeerFailed``)."""

    status = 404


@dataclass(frozen=True, slots=True)
class FarFile:
    """A file that another server begins to send. All but the ``chunks`` is what a stranger says.

    ``chunks`` raise ``Refused`` where the file does not come whole. ``size`` (bytes) is ``None`` where nothing is said.
    """

    content_type: str | None
    filename: str | None
    size: int | None
    chunks: AsyncIterator[bytes]


class FarMedia(Protocol):
    """Files of other servers."""

    def fetch(self, mxc: Mxc, *, wait_ms: int) -> AbstractAsyncContextManager[FarFile]:
        """The file; the other server may wait ``wait_ms`` for content that is announced.

        Raises ``ServerSilent``, or ``Refused`` for what is wrong with the one file.
        """
