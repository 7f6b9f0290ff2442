"""The words of reminders: what somebody chose, what takes place, when a reminder is due. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from server.foundation.clock import tokyo_time

# The account data in which a person's choice stands; any client may set it.
CHOICE: Final = "jp.kairan.reminders"
# The key of the message that reminds.
MARK: Final = "jp.kairan.reminder"
EVENING_HOUR: Final = 18
_HOUR_MS: Final = 3_600_000
# Nothing is due earlier than this before it begins: 18:00 on the day before something at 23:59.
LEAD_MS: Final = 30 * _HOUR_MS
_DAYS: Final = "月火水木金土日"

Content = dict[str, Any]


class Kind(StrEnum):
    """Which reminder."""

    DAY_BEFORE = "day_before"
    HOUR_BEFORE = "hour_before"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to be reminded of. ``everything``: also of what they have not said yes to."""

    day_before: bool = True
    hour_before: bool = False
    everything: bool = False

    def wants(self, kind: Kind) -> bool:
        """Whether they want this one."""
        return self.day_before if kind is Kind.DAY_BEFORE else self.hour_before

    def as_content(self) -> Content:
        """As account data."""
        return {"day_before": self.day_before, "hour_before": self.hour_before,
                "for": "all" if self.everything else "attending"}


def read_choice(content: object) -> Choice:
    """What account data say; what is missing or makes no sense is as if it had never been chosen."""
    if not isinstance(content, Mapping):
        return Choice()
    day, hour = content.get("day_before"), content.get("hour_before")
    return Choice(day if isinstance(day, bool) else True, hour is True, content.get("for") == "all")


@dataclass(frozen=True, slots=True)
class Appointment:
    """Something that takes place at ``start_ms``. ``thing`` names it among all kinds, such as ``gathering:<id>``.

    ``attending`` are accounts with the time at which they said so, ``others`` those whom it is for; ``known_ms`` when
    it was last announced. A whole day begins at midnight in Japan and has no hour before.
    """

    thing: str
    title: str
    start_ms: int
    known_ms: int
    place: str = ""
    whole_day: bool = False
    attending: Mapping[str, int] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


def due_ms(kind: Kind, appointment: Appointment) -> int | None:
    """When a reminder is due; ``None`` where there is none of this kind."""
    if kind is Kind.HOUR_BEFORE:
        return None if appointment.whole_day else appointment.start_ms - _HOUR_MS
    start = tokyo_time(appointment.start_ms)
    evening = (start - timedelta(days=1)).replace(hour=EVENING_HOUR, minute=0, second=0, microsecond=0)
    return round(evening.timestamp()) * 1000


def due_now(appointment: Appointment, now_ms: int) -> list[Kind]:
    """What is due and still of use. What was announced later than it was due has just been told anyway."""
    if appointment.start_ms <= now_ms:
        return []
    return [kind for kind in Kind if (due := due_ms(kind, appointment)) is not None
            and appointment.known_ms < due <= now_ms]


def readers_of(appointment: Appointment, kind: Kind, choices: Mapping[str, Choice]) -> set[str]:
    """Whom a reminder that is due is for."""
    due = due_ms(kind, appointment) or 0
    standard = Choice()
    coming = {user for user, said_ms in appointment.attending.items() if said_ms < due}
    asked_for_all = {user for user in appointment.others if choices.get(user, standard).everything}
    return {user for user in coming | asked_for_all if choices.get(user, standard).wants(kind)}


def reminder_content(appointment: Appointment, kinds: list[Kind], now_ms: int) -> Content:
    """The message."""
    start, today = tokyo_time(appointment.start_ms), tokyo_time(now_ms)
    days = (start.date() - today.date()).days
    when = f"{start.month}月{start.day}日({_DAYS[start.weekday()]})"
    when += "" if appointment.whole_day else f" {start:%H:%M}"
    head = "きょう" if days == 0 else "あした"
    lines = [f"【{head}】{appointment.title}", f"日時：{when}"]
    lines += [f"場所：{appointment.place}"] if appointment.place else []
    return {
        "msgtype": "m.text", "body": "\n".join(lines),
        MARK: {"thing": appointment.thing, "start": appointment.start_ms, "kinds": [kind.value for kind in kinds]},
    }
