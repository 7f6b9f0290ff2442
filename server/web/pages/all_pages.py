"""The list of all groups of pages."""

from __future__ import annotations

from server.web.pages import (
    app_shell,
    board,
    bookings,
    calendar,
    circulars,
    confirming,
    daily,
    design,
    desk,
    desk_asked,
    desk_board,
    desk_bookings,
    desk_circulars,
    desk_city,
    desk_duties,
    desk_garbage,
    desk_gatherings,
    desk_groups,
    desk_handover,
    desk_inquiries,
    desk_invitations,
    desk_liaison,
    desk_links,
    desk_notice_writing,
    desk_notices,
    desk_phones,
    desk_planned,
    desk_polls,
    desk_progress,
    desk_roster,
    desk_roster_files,
    desk_safety,
    desk_sharing,
    desk_slips,
    desk_trial,
    desk_well,
    desk_writing,
    desk_year,
    duties,
    files,
    gallery,
    garbage,
    gatherings,
    groups,
    hazards,
    home,
    invitation,
    login,
    my,
    my_calendar,
    my_news,
    my_reminders,
    neighbours,
    papers,
    polls,
    public_notices,
    safety,
    talk,
    terms,
)
from server.web.routing import Routes

_GROUPS = (
    home, invitation, login, safety, circulars, polls, gatherings, daily, bookings, garbage, duties, calendar,
    desk_duties,
    desk_city, talk, desk_inquiries, desk_bookings, desk_garbage, my, my_calendar, my_reminders, files, desk,
    desk_safety, desk_circulars, desk_writing, desk_polls, desk_gatherings, desk_roster, desk_roster_files,
    desk_invitations, desk_links, desk_liaison, desk_notices, desk_notice_writing, desk_asked, desk_progress,
    desk_well, desk_handover, desk_phones, confirming, terms, design, app_shell, papers, my_news, desk_planned, board,
    groups, gallery, desk_board, desk_groups, desk_slips, desk_year, desk_trial,
    hazards, neighbours, desk_sharing, public_notices,
)


def add_routes(routes: Routes) -> None:
    """Everything that a browser can ask for."""
    for group in _GROUPS:
        group.add_routes(routes)
