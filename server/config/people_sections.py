"""The sections about accounts and what people may do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.config import values
from server.foundation.settings import flag, one_of, optional, path, setting, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSettings:
    """[registration]"""

    mode: str = setting(
        "Who may make an account: whoever has an invitation (token), nobody (closed), anybody (open).",
        parse=one_of("token", "closed", "open"),
        default="token",
    )
    shared_secret: str = setting(
        "Tools that know this secret may make accounts. Empty: none may.", parse=text, default="", secret=True
    )
    allow_guests: bool = setting("Whether Matrix guests may look in without an account.", parse=flag, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """[sessions]"""

    access_token_minutes: int = setting(
        "How long an access token is good where the client can renew it (most new ones can).",
        parse=whole(1, 525_600),
        default=60,
    )
    refresh_token_days: int = setting(
        "A client that does not come back for so many days has to log in again; its keys stay. 0: never.",
        parse=whole(0, 36_500),
        default=0,
    )
    lasting_token_days: int = setting(
        "How many days an access token is good where the client cannot renew it. 0: until somebody logs out.",
        parse=whole(0, 36_500),
        default=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSettings:
    """[consent]"""

    folder: Path | None = setting(
        "A folder with the texts that people agree to when they make an account, one file for each text, version and "
        "language, called like privacy.2026-04.ja.txt; the first line is the title. Empty: nobody is asked.",
        parse=optional(path),
        default=None,
    )
    demanded: bool = setting(
        "Whether people may only read, not write, until they have agreed to the newest version of each text.",
        parse=flag,
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    """[passwords]"""

    cost: int = setting(
        "How much work a password check is (scrypt, log2 N). One more doubles time and memory; low ones only in tests.",
        parse=whole(4, 20),
        default=14,
    )
    shortest: int = setting(
        "How many characters a new password has at least. Those from before stay good.",
        parse=whole(1, 64),
        default=8,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """[limits]"""

    enabled: bool = setting(
        "Whether callers are held back when they ask too often. Sizes and quotas hold in any case.",
        parse=flag,
        default=True,
    )
    requests_per_second: int = setting(
        "Requests of one caller per second, on average.", parse=whole(1, 100_000), default=50
    )
    request_burst: int = setting("Requests of one caller at once.", parse=whole(1, 100_000), default=200)
    messages_per_second: int = setting(
        "Messages of one person per second, on average.", parse=whole(1, 100_000), default=5
    )
    message_burst: int = setting("Messages of one person at once.", parse=whole(1, 100_000), default=50)
    login_attempts_per_minute: int = setting(
        "Wrong passwords in a minute for one account from one address; wider limits follow from it.",
        parse=whole(1, 100_000),
        default=10,
    )
    registrations_per_minute: int = setting(
        "New accounts per address in a minute; a whole hall joins through one address.",
        parse=whole(1, 100_000),
        default=60,
    )
    upload_bytes: int = setting("The largest file, in bytes.", parse=whole(1, values.ANY_SIZE), default=50 * values.MIB)
    media_bytes_per_user: int = setting(
        "All files of one person together, in bytes.", parse=whole(1, values.ANY_SIZE), default=2048 * values.MIB
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSettings:
    """[presence]"""

    enabled: bool = setting("Whether people who share a room see who is there.", parse=flag, default=True)
    largest_room: int = setting(
        "Presence goes through rooms of so many members at most. In a room of the whole association everybody would "
        "hear of everybody all day long.",
        parse=whole(2, 10_000),
        default=100,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """[directory]"""

    public: bool = setting(
        "Whether people without an account may see the list of public rooms.", parse=flag, default=False
    )
