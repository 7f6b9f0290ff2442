"""The section about what everybody may read without an account."""

from __future__ import annotations

from dataclasses import dataclass

from server.foundation.settings import flag, setting, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFeedSettings:
    """[public_feed]"""

    enabled: bool = setting(
        "Whether the node of a city or of a federation of associations shows its public notices to everybody, without "
        "an account: /feeds and the RSS, Atom and iCalendar feeds there. Each notice is public only where whoever sent "
        "it left it so. An association's node never has any.",
        parse=flag,
        default=True,
    )
    gatherings: bool = setting(
        "Whether the node's gatherings for everyone are public, too (/feeds/dates.ics). Only where all of them may be.",
        parse=flag,
        default=False,
    )
    notices: int = setting("How many notices a feed has at most.", parse=whole(1, 200), default=50)
