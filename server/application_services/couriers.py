"""Who of the application services hears of what: after a commit, without waiting and without SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.application_services.courier import Courier, Health
from server.application_services.ephemeral import Ephemeral
from server.application_services.interest import Interest
from server.application_services.service import Service
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks, keep_doing
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt
from server.rooms.timeline import Entry
from server.storage.streams import StreamPositions

_EVERY_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What belongs to the deliveries to one service."""

    service: Service
    interest: Interest
    ephemeral: Ephemeral
    courier: Courier


class Couriers:
    """The couriers of all services that have a URL."""

    def __init__(self, deliveries: Sequence[Delivery], positions: StreamPositions, tasks: Tasks, clock: Clock) -> None:
        self._deliveries = deliveries
        self._positions = positions
        self._tasks = tasks
        self._clock = clock
        self._curious = [each for each in deliveries if each.service.registration.receives_ephemeral]
        self._encrypting = [each for each in deliveries if each.service.registration.receives_encryption]

    def start(self) -> None:
        """The node listens: go on with what was not delivered before the last stop."""
        for each in self._deliveries:
            self._tasks.start(f"application service {each.service.id}", each.courier.run())

        self._tasks.start("application services", keep_doing(
            "application services", self._wake_all, self._clock, every_s=_EVERY_S
        ))

    def healths(self) -> Mapping[str, Health]:
        """How deliveries go, by service."""
        return {each.service.id: each.courier.health for each in self._deliveries}

    def seen(self, service_id: str) -> None:
        """A service has just asked for something, so it lives."""
        for each in self._deliveries:
            if each.service.id == service_id:
                each.courier.seen()

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """A listener: an event is committed."""
        self._positions.when_reached(entry.stream, lambda: self._follow(room, entry))

    def follow_receipt(self, room: LiveRoom, receipt: Receipt) -> None:
        """A listener: a receipt is committed."""
        for each in self._curious:
            if each.interest.may_want_room(room):
                self._positions.when_reached(receipt.stream, each.courier.wake_soon)

    def follow_typing(self, room: LiveRoom) -> None:
        """A listener: the typists of a room have changed."""
        for each in self._curious:
            if each.interest.may_want_room(room):
                each.ephemeral.typing_changed(room.room_id)
                each.courier.wake_soon()

    def follow_presence(self, user_id: str, _by_hand: bool) -> None:
        """A listener: somebody has come or gone."""
        for each in self._curious:
            if each.interest.may_want_person(user_id):
                each.ephemeral.presence_changed(user_id)
                each.courier.wake_soon()

    def follow_users(self, user_ids: Iterable[str], position: int) -> None:
        """A listener: something of these users' own has changed, maybe what waits for their devices."""
        concerned = list(user_ids) if self._encrypting else ()
        for each in self._encrypting:
            if any(each.service.owns_user(user_id) for user_id in concerned):
                self._wake_at(each, position)

    def follow_devices(self, _user_ids: Iterable[str], position: int) -> None:
        """A listener: the devices or keys of these users have changed."""
        for each in self._encrypting:
            self._wake_at(each, position)

    async def _wake_all(self) -> None:
        """So that a service which nothing concerns does not begin from long ago after the next start."""
        for each in self._deliveries:
            each.courier.wake()

    def _follow(self, room: LiveRoom, entry: Entry) -> None:
        for each in self._deliveries:
            if each.interest.follow(room, entry):
                each.courier.wake()

    def _wake_at(self, each: Delivery, position: int) -> None:
        self._positions.when_reached(position, each.courier.wake)
