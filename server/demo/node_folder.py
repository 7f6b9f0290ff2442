"""A node's folder for the demo: what ``kairan init`` writes, with the settings of a node that is only tried out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from server.assembly import prepare_database
from server.config import Settings, load_settings, render_default
from server.foundation.signatures import SigningKey

SETTINGS_FILE: Final = "kairan.toml"


def make_node_folder(
    folder: Path, name: str, chosen: Mapping[str, object], server_name: str = "localhost"
) -> Settings:
    """A new node for the association ``name`` in ``folder``, which may exist; ``chosen`` as for ``render_default``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / SETTINGS_FILE
    file.write_text(render_default(server_name, name, chosen), "utf-8")
    settings = load_settings(file)
    with os.fdopen(os.open(settings.signing_key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(SigningKey.generate().line())
    prepare_database(settings)
    return settings
