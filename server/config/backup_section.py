"""The section about backups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.config import values
from server.foundation.settings import list_of, optional, path, setting, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """[backup]"""

    folder: Path | None = setting(
        "Where `kairan backup` and `kairan daily` put backups: another disk, or a folder that is copied elsewhere. It "
        "must exist: an unplugged disk shall be noticed. Empty: none are made.",
        parse=optional(path),
        default=None,
    )
    public_key: str = setting(
        "Backups are sealed for whoever has the secret key that belongs to it; `kairan backup-key` makes both. Empty: "
        "backups are not encrypted.",
        parse=text,
        default="",
    )
    keep: int = setting("How many of the newest backups are kept.", parse=whole(1, 10_000), default=14)
    keep_months: int = setting(
        "Of how many months before that the newest backup is kept.", parse=whole(0, 1_200), default=12
    )
    copy_to: tuple[str, ...] = setting(
        'Places elsewhere that `kairan daily` brings the newest backup to: "sftp://user@nas.local/backups" (/~/backups '
        'is below the home of that user) or "s3://key-id@s3.example.jp/bucket/folder" (s3+http without TLS). The same '
        "number is kept there. Only sealed backups leave the machine.",
        parse=list_of(values.far_address),
        default=(),
        secret=True,  # somebody may write a password there; it is refused, and not repeated
    )
    ssh_key_file: Path | None = setting(
        "The private key for sftp, without a passphrase.", parse=optional(path), default=None
    )
    known_hosts_file: Path | None = setting(
        "The keys of sftp servers, as OpenSSH keeps them. While it lacks one, `kairan backup` prints the line for it.",
        parse=optional(path),
        default=None,
    )
    secrets_file: Path | None = setting(
        "The secret keys for S3, and passwords for sftp, a line each: machine HOST login USER password SECRET.",
        parse=optional(path),
        default=None,
    )
    s3_region: str = setting("The region, where the S3 storage has several.", parse=text, default="")
