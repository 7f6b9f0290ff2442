"""Circulars in other languages: there only where a translation service is configured."""

from __future__ import annotations

import importlib

from server.assembly.core import Core
from server.association.circulars.translating import CircularTranslations


def translations_of(core: Core) -> CircularTranslations | None:
    """The translations, or ``None`` where no service is configured."""
    settings = core.settings.translation
    if not settings.url:
        return None
    module = importlib.import_module("server.association.circulars.libretranslate")
    key = "" if settings.key_file is None else settings.key_file.read_text("utf-8").strip()
    service = module.LibreTranslate(module.Outgoing(core.settings.outgoing.allowed_networks), settings.url, key)
    core.closing.push_async_callback(service.close)
    return CircularTranslations(core.database, core.clock, service, settings.letters_a_day)
