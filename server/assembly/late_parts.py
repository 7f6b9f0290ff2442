"""What several late doors have in common: made by the first of them, so that they never disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.calendars.app_passwords import AppPasswords


@dataclass(slots=True)
class LateParts:
    """Empty until the first late door opens."""

    app_passwords: AppPasswords | None = None
