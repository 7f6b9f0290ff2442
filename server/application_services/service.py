"""One application service as the node knows it: which users, aliases and rooms are its own."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from server.application_services.registration import Namespaces, Registration

_REMEMBERED: Final = 20_000


class Service:
    """A registration on this node. ``user_id`` is the sender's."""

    def __init__(self, registration: Registration, server_name: str) -> None:
        self.registration = registration
        self.server_name = server_name
        self.user_id = f"@{registration.sender_localpart}:{server_name}"
        self._owned: OrderedDict[str, bool] = OrderedDict()

    @property
    def id(self) -> str:
        """The id that the registration gives."""
        return self.registration.id

    def owns_user(self, user_id: str) -> bool:
        """Whether a local user is the sender or in the namespace of users. Asked often, so answers are kept."""
        known = self._owned.get(user_id)
        if known is None:
            ours = user_id.partition(":")[2] == self.server_name
            known = user_id == self.user_id or (ours and _holds(self.registration.users, user_id))
            self._owned[user_id] = known
            if len(self._owned) > _REMEMBERED:
                self._owned.popitem(last=False)
        return known

    def owns_alias(self, alias: str) -> bool:
        """Whether a name of a room is in the namespace of aliases."""
        return _holds(self.registration.aliases, alias)

    def owns_room(self, room_id: str) -> bool:
        """Whether a room is in the namespace of room ids."""
        return _holds(self.registration.rooms, room_id)

    def reserves_user(self, user_id: str) -> bool:
        """Whether nobody else may make this user."""
        ours = user_id.partition(":")[2] == self.server_name
        return ours and _holds(self.registration.users, user_id, exclusive=True)

    def reserves_alias(self, alias: str) -> bool:
        """Whether nobody else may give a room this name."""
        return _holds(self.registration.aliases, alias, exclusive=True)


def _holds(namespaces: Namespaces, name: str, *, exclusive: bool = False) -> bool:
    return any(namespace.holds(name) for namespace in namespaces if namespace.exclusive or not exclusive)
