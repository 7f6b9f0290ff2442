"""How much each of a family that shares a telephone has not seen or answered yet."""

from __future__ import annotations

from server.association.circulars.model import State
from server.web.pages.talk import has_reply
from server.web.visit import Visit

_LOOKED_AT = 20


async def family_news(visit: Visit) -> dict[str, int]:
    """By person, the number for those who are not at the screen: circulars, questions, answers of the officers."""
    found = {}
    for member in visit.family.others(visit.user_id) if visit.family else ():
        user_id = member.session.user_id
        asked = await visit.services.safety.desk.questions_for(user_id)
        now = visit.services.clock.now_ms()
        polls = [item for item in await visit.services.polls.results.polls_for(user_id)
                 if not item.chosen and not item.poll.is_over_at(now)]
        circulars = await visit.services.circulars.reader.page(user_id, _LOOKED_AT)
        unread = [item for item in circulars.items if item.is_unread and item.circular.state is not State.WITHDRAWN]
        unanswered = [item for item in asked if item.current.status is None]
        reply = await has_reply(visit, member.person)
        found[member.person.id] = len(unanswered) + len(polls) + len(unread) + bool(reply)
    return found
