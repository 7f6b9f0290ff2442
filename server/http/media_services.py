"""Where doors find the verbs of media."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.media.media import Media
from server.media.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class MediaServices:
    """Files and their small pictures."""

    media: Media
    thumbnails: Thumbnails


MEDIA = web.AppKey("media", MediaServices)
