"""What calendar apps can be told without typing: Apple's configuration profile, a link for DAVx5. Pure.

Apple, "Device Management: CalDAV" (payload ``com.apple.caldav.account``); DAVx5 manual, "Integration".
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5

APPLE_TYPE: Final = "application/x-apple-aspen-config"
_DAVX5: Final = "at.bitfire.davdroid"


@dataclass(frozen=True, slots=True)
class CalendarAccount:
    """Where an app logs in as whom. ``association`` is the name that people know."""

    public_url: str
    association: str
    localpart: str
    secret: str

    @property
    def host(self) -> str:
        """The host without a port."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def principal(self) -> str:
        """The path of the owner's principal."""
        return f"/dav/principals/{quote(self.localpart)}/"


def apple_profile(account: CalendarAccount) -> bytes:
    """A ``.mobileconfig`` with one calendar account; installing a newer one of the same account replaces it."""
    parts = urlsplit(account.public_url)
    secure = parts.scheme == "https"
    name = f"{account.association or account.host}のカレンダー"
    identifier = f"jp.kairan.{account.host}.{account.localpart}"
    payload: dict[str, Any] = {
        "PayloadType": "com.apple.caldav.account", "PayloadVersion": 1, "PayloadIdentifier": f"{identifier}.caldav",
        "PayloadUUID": _uuid(account, "caldav"), "PayloadDisplayName": name, "CalDAVAccountDescription": name,
        "CalDAVHostName": account.host, "CalDAVPort": parts.port or (443 if secure else 80), "CalDAVUseSSL": secure,
        "CalDAVUsername": account.localpart, "CalDAVPassword": account.secret,
        "CalDAVPrincipalURL": account.principal,
    }
    profile = {
        "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(account, "profile"), "PayloadDisplayName": name,
        "PayloadOrganization": account.association or account.host, "PayloadRemovalDisallowed": False,
        "PayloadDescription": "町内会の行事を「カレンダー」に出します。いつでも消せます。", "PayloadContent": [payload],
    }
    return plistlib.dumps(profile, sort_keys=False)


def davx5_link(account: CalendarAccount) -> str:
    """A link that opens DAVx5 on Android with everything filled in, or the store where it is not installed."""
    parts = urlsplit(account.public_url)
    scheme = "caldavs" if parts.scheme == "https" else "caldav"
    extras = f"S.username={quote(account.localpart, safe='')};S.password={quote(account.secret, safe='')}"
    return f"intent://{parts.netloc}/dav/#Intent;scheme={scheme};package={_DAVX5};{extras};end"


def _uuid(account: CalendarAccount, part: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{account.public_url}/dav/{account.localpart}/{part}")).upper()
