"""What the CalDAV door is told about the node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CaldavSettings:
    """``association`` is the name that people know; ``wrong_passwords`` are allowed in ``forget_after_s`` seconds."""

    server_name: str
    association: str = ""
    wrong_passwords: int = 10
    forget_after_s: float = 300.0
    body_bytes: int = 1024 * 1024
