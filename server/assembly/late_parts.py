"""What several late doors have in common, made by the first of them so that they never disagree; and what is there
only where it is configured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.assembly.late_wide_area import LateWideArea

if TYPE_CHECKING:
    from server.application_services.services import ApplicationServices
    from server.assembly.late_federation import LateFederation
    from server.association.members.handovers import Handovers
    from server.calendars.app_passwords import AppPasswords
    from server.calendars.city_feed import CityFeed
    from server.calendars.public_calendar import PublicCalendar
    from server.http.media_services import LateRemoteMedia
    from server.operation.metrics import Meter
    from server.operation.trying import Trial
    from server.rooms.server_notices import ServerNotices


@dataclass(slots=True)
class LateParts:
    """Empty until the first late door opens; ``application_services`` stays so where none are configured."""

    app_passwords: AppPasswords | None = None
    application_services: ApplicationServices | None = None
    city_feed: CityFeed | None = None
    federation: LateFederation | None = None
    # Ends this run of the node and begins another; nobody has set it where the node does not run by itself.
    begin_again: Callable[[], None] | None = None
    handovers: Handovers | None = None
    meter: Meter | None = None
    public_calendar: PublicCalendar | None = None
    remote_media: LateRemoteMedia | None = None
    server_notices: ServerNotices | None = None
    trial: Trial | None = None
    wide_area: LateWideArea = field(default_factory=LateWideArea)
