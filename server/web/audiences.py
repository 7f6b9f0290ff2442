"""The part of a form in which an audience is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.members.model import EVERYONE, OFFICERS, Audience
from server.foundation.errors import InvalidParam
from server.web.forms import Form


@dataclass(frozen=True, slots=True)
class ChosenAudience:
    """What is ticked: a kind, and blocks or groups."""

    kind: str = "everyone"
    ids: tuple[str, ...] = ()

    @classmethod
    def of_form(cls, form: Form) -> ChosenAudience:
        """Read the fields ``audience``, ``block`` and ``group``."""
        kind = form.line("audience")
        ids = {"blocks": form.lines("block"), "groups": form.lines("group")}.get(kind, [])
        return cls(kind, tuple(ids))

    @staticmethod
    def parse(text: str) -> Audience:
        """An audience that a confirming page has carried along; raises ``InvalidParam``."""
        return Audience.parse(text)

    def audience(self) -> Audience:
        """The audience; raises ``InvalidParam`` where none, or no block or group, is chosen."""
        if self.kind == "everyone":
            return EVERYONE
        if self.kind == "officers":
            return OFFICERS
        if self.kind == "blocks":
            return Audience.blocks(self.ids)
        if self.kind == "groups":
            return Audience.groups(self.ids)
        raise InvalidParam("だれに おくるかを えらんでください。", field="audience")
