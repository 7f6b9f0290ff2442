"""Whom an application service acts for (spec, "Identity assertion"), and which devices it may make."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from server.accounts.accounts import Accounts
from server.accounts.sessions import Caller
from server.application_services.service import Service
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.storage.database import Writes

_KEPT_DEVICES: Final = 10_000


class Callers:
    """Turns a request of an application service into the user, and maybe the device, that it is meant to come from."""

    def __init__(self, accounts: Accounts, services: Sequence[Service]) -> None:
        self._accounts = accounts
        self._device_makers = {service.id for service in services if service.registration.makes_devices}
        # Devices that were seen in the database; forgotten with the device.
        self._devices: OrderedDict[tuple[str, str], None] = OrderedDict()
        accounts.sessions.when_dropped(self._forget)

    async def caller(self, service: Service, query: Mapping[str, str]) -> Caller:
        """The caller whom the query names, or else the sender; ``device_id`` is empty where none is named.

        Raises ``Forbidden`` for a user that is not the service's, or that it has not registered.
        """
        user_id = query.get("user_id") or service.user_id
        if not service.owns_user(user_id):
            raise Forbidden("This user does not belong to the application service")
        user = await self._accounts.users.find(user_id)
        if user is None:
            raise Forbidden("The application service has not registered this user")
        if user.is_deactivated:
            raise Forbidden("This account is closed", code="M_USER_DEACTIVATED")
        device_id = query.get("device_id") or query.get("org.matrix.msc3202.device_id") or ""
        if device_id:
            await self._require_device(user_id, device_id)
        unlimited = not service.registration.rate_limited or user_id == service.user_id
        return Caller(
            user_id, device_id, user.is_guest, user.is_admin, is_locked=user.is_locked,
            is_suspended=user.is_suspended, service=service.id, is_unlimited=unlimited,
        )

    async def make_device(self, who: Caller, device_id: str, name: str | None) -> bool:
        """Make a device of a ghost, where its service may and there is none; answers whether it was made (MSC4190).

        It has no access token: the service goes on with its own.
        """
        if who.service not in self._device_makers:
            return False
        try:
            await self._accounts.sessions.device(who.user_id, device_id)
        except NotFound:
            await self._accounts.log_in(who.user_id, device_id, name)
            return True
        return False

    async def _require_device(self, user_id: str, device_id: str) -> None:
        if (user_id, device_id) in self._devices:
            return
        try:
            await self._accounts.sessions.device(user_id, device_id)
        except NotFound:
            raise InvalidParam("This user has no such device", code="M_UNKNOWN_DEVICE") from None
        self._devices[user_id, device_id] = None
        if len(self._devices) > _KEPT_DEVICES:
            self._devices.popitem(last=False)

    def _forget(self, user_id: str, device_id: str, writes: Writes) -> None:
        writes.after_commit.append(lambda: self._devices.pop((user_id, device_id), None))
