"""User-interactive authentication (spec, "User-Interactive Authentication API"): stages that a client goes through
before something that matters, held together by a session.

A stage is done in the client, or on the node's own page for it ("Fallback"): both enter it in ``completed``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, Refused
from server.foundation.ids import random_token

# Stages of the specification that this node has. WEB is done on the node's own pages; clients open them for it.
PASSWORD: Final = "m.login.password"  # noqa: S105 - the name of a stage
WEB: Final = "m.login.sso"
DUMMY: Final = "m.login.dummy"
TOKEN: Final = "m.login.registration_token"  # noqa: S105 - the name of a stage
TERMS: Final = "m.login.terms"

_KEPT: Final = 10_000
_LIFETIME_MS: Final = 24 * 3600 * 1000

Flows = Sequence[Sequence[str]]


class MoreNeeded(Refused):
    """401: these flows are open, these stages are done. Has an ``errcode`` only after a stage has failed."""

    status = 401
    code = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be confirmed: ``operation`` names it, ``user_id`` is whose account it is (empty: not made yet).

    ``params`` tells clients what they need for a stage.
    """

    operation: str
    flows: Flows
    user_id: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def has_stage(self, stage: object) -> bool:
        """Whether a flow goes through ``stage``."""
        return any(stage in flow for flow in self.flows)


@dataclass(slots=True)
class AuthSession:
    """One operation on its way through its stages."""

    id: str
    demand: Demand
    parameters: dict[str, Any]
    began_ms: int
    completed: list[str] = field(default_factory=list)
    # What a stage has found out, such as the registration token that was given.
    found: dict[str, str] = field(default_factory=dict)
    # What the operation led to, for a client that asks again.
    result: str | None = None

    def complete(self, stage: str) -> None:
        """``stage`` is done."""
        if stage not in self.completed:
            self.completed.append(stage)


class InteractiveAuth:
    """All sessions, in memory: a client that loses one begins again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, AuthSession] = OrderedDict()

    def session(self, auth: dict[str, Any], demand: Demand, parameters: dict[str, Any]) -> AuthSession:
        """The session that ``auth`` names, or a new one.

        Raises ``Forbidden`` where the session was begun for something else.
        """
        known = self.find(auth.get("session"))
        if known is None:
            return self._begin(demand, parameters)
        if known.demand.operation != demand.operation or known.demand.user_id != demand.user_id:
            raise Forbidden("This is not the operation that the authentication was begun for")
        known.demand = demand
        return known

    def find(self, session_id: object) -> AuthSession | None:
        """A session that has been begun and is not too old."""
        if not isinstance(session_id, str):
            return None
        known = self._sessions.get(session_id)
        if known is not None and known.began_ms + _LIFETIME_MS < self._clock.now_ms():
            del self._sessions[session_id]
            return None
        return known

    def require_same(self, session: AuthSession, parameters: dict[str, Any]) -> None:
        """Take over parameters that come for the first time; raise ``Forbidden`` where they have changed."""
        if parameters and session.parameters and parameters != session.parameters:
            raise Forbidden("The parameters have changed during the authentication")
        session.parameters = session.parameters or parameters

    def require_complete(self, session: AuthSession) -> None:
        """Raise ``MoreNeeded`` until all stages of one flow are done."""
        if not any(set(flow) <= set(session.completed) for flow in session.demand.flows):
            raise self.more_needed(session)

    def end(self, session: AuthSession) -> None:
        """The operation is being done; the next one needs a session of its own."""
        self._sessions.pop(session.id, None)

    def more_needed(self, session: AuthSession, failed: Refused | None = None) -> MoreNeeded:
        """The 401 that tells a client how to go on; ``failed`` is why the stage just tried is not done."""
        body: dict[str, Any] = {
            "flows": [{"stages": list(flow)} for flow in session.demand.flows],
            "params": dict(session.demand.params),
            "session": session.id,
            "completed": session.completed,
        }
        if failed is None:
            return MoreNeeded("Authentication is needed", extra=body)
        return MoreNeeded(failed.reason, code=failed.code, extra=body)

    def _begin(self, demand: Demand, parameters: dict[str, Any]) -> AuthSession:
        session = AuthSession(random_token(), demand, parameters, self._clock.now_ms())
        self._sessions[session.id] = session
        if len(self._sessions) > _KEPT:
            self._sessions.popitem(last=False)
        return session
