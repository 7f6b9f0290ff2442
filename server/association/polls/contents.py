"""What the node says in a room about a poll. Described in ``docs/events/jp.kairan.poll.md``."""

from __future__ import annotations

from typing import Final

from server.association.polls.counting import Count
from server.association.polls.model import Content, Counting, Poll
from server.foundation.clock import tokyo_time
from server.rooms.poll_events import end_content, start_content

# What marks the node's own events: the question, the native poll beside it and its end; the result.
MARK: Final = "jp.kairan.poll"
RESULT: Final = "jp.kairan.poll.result"


def message_content(poll: Poll) -> Content:
    """The question as a plain message with numbers."""
    lines = [f"【アンケート】{poll.question}", *_numbered(poll)]
    how = "番号を書いて送る、番号のリアクションをつける、下の投票をおす、のどれでも答えられます。"
    lines.append(how if poll.most == 1 else f"{how}（{poll.most}つまで。例：1、2）")
    if poll.counting is Counting.HOUSEHOLD:
        lines.append("世帯でひとつの答えとして数えます。あとから答えたほうが残ります。")
    if poll.deadline is not None:
        when = tokyo_time(poll.deadline)
        lines.append(f"締め切り：{when.month}月{when.day}日 {when:%H:%M}")
    return {"msgtype": "m.text", "body": "\n".join(lines), MARK: poll.as_content()}


def native_content(poll: Poll) -> Content:
    """The same question as a native poll (MSC3381)."""
    native = start_content(poll.question, poll.choices, most=poll.most, disclosed=poll.disclosed)
    return {**native, MARK: {"id": poll.id}}


def ended_content(poll: Poll, start_event: str, text: str) -> Content:
    """The end of a native poll, with the result as text for clients that draw no polls."""
    return {**end_content(start_event, text), MARK: {"id": poll.id, "closed_ts": poll.closed_ts}}


def result_content(poll: Poll, count: Count) -> Content:
    """The result for the room: figures only."""
    told = {"id": poll.id, "counting": poll.counting.value, "persons": count.persons.as_content(),
            "households": count.households.as_content()}
    return {"msgtype": "m.text", "body": result_text(poll, count), RESULT: told}


def result_text(poll: Poll, count: Count) -> str:
    """The result in words: where persons count also of households, where households count of them alone."""
    units = [poll.counting] if poll.counting is Counting.HOUSEHOLD else [Counting.PERSON, Counting.HOUSEHOLD]
    lines = [f"【アンケートの結果】{poll.question}"]
    for line, choice in zip(_numbered(poll), poll.choices, strict=True):
        first, *rest = [f"{count.tally(unit).votes[choice.id]}{unit.counter}" for unit in units]
        lines.append(f"{line}：{first}" + "".join(f"（{figure}）" for figure in rest))
    answered = "・".join(f"{count.tally(unit).answered}{unit.counter}" for unit in units)
    unanswered = "・".join(f"{count.tally(unit).unanswered}{unit.counter}" for unit in units)
    lines.append(f"回答 {answered}、未回答 {unanswered}")
    return "\n".join(lines)


def _numbered(poll: Poll) -> list[str]:
    return [f"{number} {choice.text}" for number, choice in enumerate(poll.choices, 1)]
