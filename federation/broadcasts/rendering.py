"""What a notice looks like in an association: always the same from one original, so that it can be checked."""

from __future__ import annotations

from typing import Final

from federation.broadcasts.model import Kind, Notice, Priority, Stage
from federation.links.model import Category
from server.association.circulars.model import Category as CircularCategory
from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE, OFFICERS, Audience
from server.association.polls.model import Question

_CATEGORIES: Final = {
    Category.ADMINISTRATION: CircularCategory.CITY, Category.DISASTER: CircularCategory.DISASTER,
    Category.SECURITY: CircularCategory.DISASTER, Category.GARBAGE: CircularCategory.GARBAGE,
    Category.WELFARE: CircularCategory.WELFARE, Category.HEALTH: CircularCategory.WELFARE,
    Category.CHILDREN: CircularCategory.CHILDREN, Category.GATHERING: CircularCategory.GATHERING,
}
_MARKS: Final = {Priority.ORDINARY: "", Priority.IMPORTANT: "【重要】", Priority.ALERT: "【緊急】"}


def title_of(notice: Notice) -> str:
    """The title of the circular."""
    return f"{_MARKS[notice.message.priority]}{notice.message.title}"


def text_of(notice: Notice, note: str = "") -> str:
    """The text of the circular: from whom it comes, what it says, and what our officers add."""
    said = notice.message
    parts = [f"〔{notice.from_words}から・{said.category.label}〕"]
    if said.text:
        parts.append(said.text)
    if said.kind is Kind.SURVEY:
        parts.append("アンケートがあります。答えをえらんでください。")
    if notice.stage is Stage.CLOSED:
        parts.append("（締め切りました）")
    if note:
        parts.append(f"―― この町内会から ――\n{note}")
    return "\n\n".join(parts)


def audience_of(notice: Notice) -> Audience:
    """Whom it is for, in the association."""
    return OFFICERS if notice.message.for_officers else EVERYONE


def letter_of(notice: Notice, note: str, now_ms: int) -> Letter:
    """The circular as it is posted or corrected."""
    said = notice.message
    return Letter(
        title=title_of(notice), text=text_of(notice, note), audience=audience_of(notice),
        category=_CATEGORIES.get(said.category, CircularCategory.OTHER),
        deadline=said.deadline if said.deadline is not None and said.deadline > now_ms else None,
        attachments=said.attachments, upstream=notice.key,
    )


def question_of(notice: Notice, now_ms: int) -> Question:
    """The poll of a survey."""
    said = notice.message
    return Question(
        text=f"〔{notice.from_words}から〕{said.title}", choices=said.choices, most=said.most,
        audience=audience_of(notice), disclosed=False,
        deadline=said.deadline if said.deadline is not None and said.deadline > now_ms else None,
    )


def check_title_of(notice: Notice) -> str:
    """The title of a safety check."""
    return f"{notice.message.title}（{notice.from_words}から）"[:100]
