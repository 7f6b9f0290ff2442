"""The sync-collection report (RFC 6578)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.caldav.answers import multistatus, response, status_line
from server.caldav.call import Call
from server.caldav.entries import answers, calendar_of
from server.caldav.names import DAV, tag
from server.caldav.paths import segment
from server.caldav.prop_request import PropRequest, answer, read_prop_request
from server.caldav.subjects import item_subjects
from server.caldav.xml_reading import Element, child, text
from server.calendars.actions import Shelf
from server.calendars.model import Changes
from server.calendars.refusals import Condition, refuse
from server.calendars.sync_token import sync_token
from server.foundation.errors import BadRequest

_NO_LIMIT: Final = 25_000
_MORE: Final = f"{status_line(507)}<D:error>{tag(Condition.WITHIN_LIMITS).empty}</D:error>"


async def sync_collection(call: Call, root: Element) -> web.Response:
    """What changed since a token, and the token to come back with; cut at the caller's limit."""
    if call.depth("0") == "infinity":
        raise refuse(Condition.SYNC_TRAVERSAL, "Only one level can be synchronised")
    asked = read_prop_request(root)
    limit = _limit(root)
    shelf = await calendar_of(call)
    changes = await call.calendars.changes_since(shelf, text(child(root, DAV + "sync-token")), limit)
    parts = await _changed(call, shelf, changes, asked)
    parts += [response(call.collection_path + segment(name), status_line(404)) for name in changes.gone]
    if changes.more:
        parts.append(response(call.collection_path, _MORE))
    token = sync_token(shelf.collection, changes.revision)
    return multistatus(parts, f"<D:sync-token>{token}</D:sync-token>")


async def _changed(call: Call, shelf: Shelf, changes: Changes, asked: PropRequest) -> list[str]:
    if not asked.needs_data:
        subjects = item_subjects(call, shelf, ((head, None) for head in changes.changed))
        return [answer(subject, asked) for subject in subjects]
    found = await call.calendars.multiget(shelf, [head.name for head in changes.changed])
    return await answers(call, shelf, [found[head.name] for head in changes.changed if head.name in found], asked)


def _limit(root: Element) -> int:
    level = text(child(root, DAV + "sync-level"))
    if level not in ("", "1", "infinite"):
        raise BadRequest("The sync-level must be 1 or infinite")
    number = text(child(child(root, DAV + "limit"), DAV + "nresults"))
    if not number:
        return _NO_LIMIT
    if not (number.isascii() and number.isdigit()) or int(number[:9]) < 1:
        raise refuse(Condition.WITHIN_LIMITS, "The limit must be at least 1")
    return min(int(number[:9]), _NO_LIMIT)
