"""The files of a notice are fetched when it comes: whoever reads the circular has them also while the city is away."""

from __future__ import annotations

import logging
from typing import Final

from federation.broadcasts.model import Record, Standing
from server.assembly.node import Node
from server.foundation.errors import Refused
from server.media.model import Mxc

logger = logging.getLogger(__name__)

_READ_HERE: Final = (Standing.HELD, Standing.SHOWN)


async def fetch_files(node: Node, record: Record) -> None:
    """Have copies of the files of a notice that is read here. What cannot be had now is fetched by its first reader."""
    late = node.core.late.remote_media
    if late is None or record.standing not in _READ_HERE:
        return
    for item in record.notice.message.attachments:
        try:
            mxc = Mxc.parse(item.url)
            if mxc.server_name != node.settings.server_name:
                await (await late.open()).media.open(mxc)
        except Refused as refused:
            logger.warning("a file of a notice could not be fetched: %s", refused)
