"""How a resident's word reached the officers: an answer to a poll or a safety check, a question. Every feature that an
officer may write down for somebody keeps it beside what was said."""

from __future__ import annotations

from enum import StrEnum

from server.foundation.errors import InvalidParam


class CameBy(StrEnum):
    """The way of one answer or question. All but ``APP`` were written down by an officer."""

    APP = "app"
    PAPER = "paper"
    PHONE = "phone"
    DOOR = "door"

    @property
    def label(self) -> str:
        """The word for officers."""
        return {"app": "アプリ", "paper": "紙", "phone": "電話", "door": "訪問"}[self.value]

    @classmethod
    def written_down(cls, text: str) -> CameBy:
        """What an officer has chosen in a form; raises ``InvalidParam``, also for what nobody writes down."""
        ways = {way.value: way for way in cls if way is not cls.APP}
        if text not in ways:
            raise InvalidParam("どうやって聞いたかを えらんでください。")
        return ways[text]
