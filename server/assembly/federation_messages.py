"""Building what goes between servers beside events; loaded with everything else that talks to them."""

from __future__ import annotations

from typing import Final

from federation.identity.servers import Servers
from federation.outbound.delivery import Delivery
from federation.outbound.far_devices import FarDevices
from federation.outbound.far_keys import FarKeys
from federation.outbound.own_devices import OwnDevices
from federation.outbound.passing_news import PassingNews
from federation.serving.messages import Messages
from server.assembly.core import Core
from server.foundation.tasks import Tasks, keep_doing
from server.outbox.outbox import Outbox

# Others believe for half an hour what they are told of somebody's presence.
_REPEATED_S: Final = 1_200.0
_LOOKED_AFTER_S: Final = 600.0
_TYPING_S: Final = 40.0


async def open_messages(core: Core, servers: Servers, delivery: Delivery, outbox: Outbox, tasks: Tasks) -> Messages:
    """All of it, connected."""
    database, accounts, services = core.database, core.accounts, core.services
    name = core.settings.server_name
    far_devices = FarDevices(database, servers, accounts.device_lists, tasks, name)
    passing = PassingNews(database, delivery, services.typing, services.sync.presence, name)
    await passing.open()
    messages = Messages(
        OwnDevices(database, accounts, outbox, core.clock), far_devices,
        FarKeys(database, servers, far_devices, accounts.cross_signing, delivery), passing, tasks, name,
    )
    core.acceptor.listen(messages.follow)
    await far_devices.look_after()
    tasks.start("devices told", messages.own_devices.tell_what_was_missed())
    tasks.start("devices of others", keep_doing(
        "devices of others", far_devices.look_after, core.clock, every_s=_LOOKED_AFTER_S
    ))
    tasks.start("typing again", keep_doing("typing again", passing.repeat_typing, core.clock, every_s=_TYPING_S))
    if services.sync.presence.rules.enabled:
        tasks.start("presence again", keep_doing("presence again", passing.repeat, core.clock, every_s=_REPEATED_S))
    return messages
