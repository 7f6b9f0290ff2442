"""What somebody has changed in a form, so that what another has changed meanwhile stays.

A form carries beside each field what stood there when it was opened (``parts.was``): only what was changed is written,
and where both have changed the same, it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from server.foundation.errors import Refused
from server.web.forms import Form

_CLASH: Final = "ほかの人が 先に なおしました。いまの 名簿と くらべて、もう一度 おしてください。"


def changes_in(form: Form, now: Mapping[str, str]) -> dict[str, str]:
    """The fields of ``now`` that somebody has changed, as they are typed; raises ``Refused`` (412)."""
    typed = {name: form.line(name) for name in now}
    seen = {name: form.line(f"was_{name}") if form.has(f"was_{name}") else now[name] for name in now}
    if any(typed[name] != seen[name] and now[name] not in (seen[name], typed[name]) for name in now):
        raise Refused(_CLASH, status=412)
    return {name: typed[name] for name in now if typed[name] != seen[name]}
