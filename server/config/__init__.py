"""The settings of a node.

``load_settings`` reads a file and refuses what it does not know; ``render_default`` writes a new one; docs/settings.md
is ``settings_page()``. Only light imports here: ``kairan check-config`` and the start of the node pass through.
"""

from __future__ import annotations

from server.config.backup_section import BackupSettings
from server.config.network_sections import FederationSettings
from server.config.people_sections import LimitSettings
from server.config.reading import default_public_url, load_settings, parse_settings, render_default, settings_page
from server.config.sections import DatabaseSettings, Settings

__all__ = [
    "BackupSettings", "DatabaseSettings", "FederationSettings", "LimitSettings", "Settings", "default_public_url",
    "load_settings", "parse_settings", "render_default", "settings_page",
]
