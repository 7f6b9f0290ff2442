"""Links, notices and figures as the pages between nodes show them, and what their forms mean."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from federation.broadcasts.model import Kind, Message, Priority, Record, Standing
from federation.broadcasts.public import Openness, PublicNotice
from federation.figures.model import Row
from federation.figures.tables import Sheet
from federation.links.model import Category, Direction, Link, LinkState, NodeKind, Told
from server.foundation.errors import InvalidParam
from server.web.wide_area import Draft, LinkView, NoticeView, PublicView, ResultView, RowView, SurveyView

Word = TypeVar("Word", bound=StrEnum)


def link_view(link: Link) -> LinkView:
    """A link as the list of links has it."""
    return LinkView(
        room_id=link.room_id, name=link.name, kind=link.kind.label, server=link.server, state=link.state.label,
        is_above=link.direction is Direction.ABOVE, is_over=link.state is LinkState.ENDED, words=link.terms.in_words(),
    )


def notice_view(record: Record) -> NoticeView:
    """A notice as both lists, and its own page, have it."""
    notice, said = record.notice, record.notice.message
    return NoticeView(
        key=record.key, title=said.title, text=said.text, from_words=notice.from_words, kind=said.kind.label,
        category=said.category.label, priority=said.priority.label, is_alert=said.priority is Priority.ALERT,
        stage=notice.stage.label, is_over=notice.stage.is_over, standing=record.standing.label, is_own=record.is_own,
        is_held=record.standing is Standing.HELD, is_shown=record.standing is Standing.SHOWN,
        may_close=said.kind is not Kind.NOTICE, sent_ts=notice.sent_ts, circular_id=record.circular_id,
        note=record.note, reason=notice.reason, attachments=said.attachments, deadline=said.deadline,
        expires_ts=notice.expires_ts, for_officers=said.for_officers,
    )


def public_view(item: PublicNotice) -> PublicView:
    """A notice as everybody may read it."""
    return PublicView(
        id=item.id, title=item.title, lines=item.lines, words=item.origin_words, is_alert=item.is_alert,
        is_cancelled=item.is_cancelled, sent_ts=item.notice.sent_ts, changed_ts=item.changed_ts,
        papers=item.papers,
    )


def openness_of(draft: Draft) -> Openness:
    """Whether a draft is to be public; raises ``InvalidParam``."""
    return one_of(Openness, draft.openness, "公開")


def row_view(sheet: Sheet, row: Row, cells: Sequence[str]) -> RowView:
    """One sender of figures, with how many stand behind it."""
    through = sum(1 for other in sheet.table.rows if other.via == row.name) if row.kind is NodeKind.FEDERATION else 0
    return RowView(
        name=row.name, via=row.via, state=row.label, down_since_ts=row.down_since_ts, cells=cells,
        below=row.report.below if row.report is not None else 0, told=through,
    )


def survey_view(sheet: Sheet) -> SurveyView | None:
    """What was answered so far, where something was asked."""
    said, sums = sheet.record.notice.message, sheet.table.total.get(Told.ANSWERS)
    if said.kind is not Kind.SURVEY:
        return None
    answered = sums.get("answered", 0)
    votes = [sums.get(f"c{number}", 0) for number in range(1, len(said.choices) + 1)]
    return SurveyView(
        answered=answered, total=sums.get("total", 0),
        results=[
            ResultView(choice=choice, votes=count, percent=round(100 * count / answered) if answered else 0)
            for choice, count in zip(said.choices, votes, strict=True)
        ],
    )


def message_of(draft: Draft) -> Message:
    """What a draft says; raises ``InvalidParam``."""
    return Message(
        title=draft.title, text=draft.text, areas=draft.areas, category=one_of(Category, draft.category, "分野"),
        priority=one_of(Priority, draft.priority, "急ぎ"), kind=one_of(Kind, draft.kind, "種類"), office=draft.office,
        choices=draft.choices, drill=draft.drill, for_officers=draft.for_officers, attachments=draft.attachments,
        deadline=draft.deadline, expires_ts=draft.expires,
    )


def one_of(words: type[Word], value: str, what: str) -> Word:
    """The word of an enum that a form has sent; raises ``InvalidParam``."""
    try:
        return words(value)
    except ValueError:
        raise InvalidParam(f"{what}を えらんでください。") from None
