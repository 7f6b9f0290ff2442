"""A city, federations of associations and associations on real nodes. Reads as prose in tests:

    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from federation.broadcasts.model import Message
from federation.links.model import Area, Category, Link, NodeKind, Terms
from server.assembly.wide_area import WideArea
from server.association.circulars.circulars_store import circulars_before
from server.association.circulars.model import Circular
from server.foundation.clock import Clock, SystemClock
from tests.builders import RunningNode
from tests.federation.town import FarNode

_CLOCK = SystemClock()
NAMES = {"city": "金沢市", "federation": "森の里連合会", "sakura": "桜町町内会", "ume": "梅町町内会"}


class Place:
    """One node with its verbs."""

    def __init__(self, far: FarNode) -> None:
        self.far = far
        self.verbs: WideArea

    @property
    def node(self) -> RunningNode:
        return self.far.node

    @property
    def server(self) -> str:
        return self.node.settings.server_name

    @property
    def me(self) -> str:
        """The node's own account, which may do everything."""
        return self.node.inside.association.members.node_user_id

    async def circulars(self) -> list[Circular]:
        """What residents find, the newest first."""
        return await circulars_before(self.node.inside.core.database, 50)

    async def reasons(self) -> list[str]:
        """Why something was refused, for officers."""
        return [refusal.reason for refusal in await self.verbs.book.refusals(self.me)]

    async def stop(self) -> None:
        """Be away."""
        await self.far.stop()

    async def start(self) -> None:
        """Be there again, on the same database and address."""
        self.node._closing = AsyncExitStack()
        await self.far.start()
        await self.open()

    async def open(self) -> None:
        self.verbs = await self.node.inside.core.late.wide_area.open()


@asynccontextmanager
async def wide_area(folder: Path, clock: Clock | None = None, **roles: str) -> AsyncIterator[list[Place]]:
    """Running nodes by name and role, not linked yet."""
    async with AsyncExitStack() as closing:
        found = []
        for name, role in roles.items():
            more = f'[node]\nrole = "{role}"\n[association]\nname = "{NAMES.get(name, name)}"\n'
            place = Place(FarNode(folder / name, clock=clock, more=more))
            await place.far.start()
            closing.push_async_callback(place.far.stop)
            await place.open()
            found.append(place)
        yield found


def terms(kind: str, *codes: str, name: str = "桜町町内会", **more: object) -> Terms:
    """What is offered to one below."""
    return Terms(kind=NodeKind(kind), name=name, areas=tuple(Area(code, code) for code in codes), **more)  # type: ignore[arg-type]


async def code_for(above: Place, below: Place, *codes: str, **more: object) -> str:
    """An invitation code of the one above."""
    offered = terms(below.node.settings.node.role, *codes, name=below.node.settings.association.name, **more)
    return (await above.verbs.offers.invite(above.me, offered)).text


async def link(above: Place, below: Place, *codes: str, categories: set[Category] | None = None) -> Link:
    """Link two nodes; answers the link as the one below has it, when both have it in force."""
    made = await below.verbs.joining.agree(below.me, await code_for(above, below, *codes), categories=categories)
    await until(lambda: is_in_force(above, made.room_id))
    return made


async def is_in_force(place: Place, room_id: str) -> bool:
    found = place.verbs.book.find(room_id)
    return found is not None and found.is_in_force


async def until(holds: Callable[[], Awaitable[bool]], tries: int = 1200) -> None:
    """Wait until something has come about, at most half a minute."""
    for _ in range(tries):
        if await holds():
            return
        await _CLOCK.sleep(0.025)
    raise AssertionError("it has not come about")


def message(*areas: str, title: str = "断水のお知らせ", text: str = "明日断水します。", **more: object) -> Message:
    """Something that a desk writes."""
    return Message(title=title, text=text, areas=areas or ("17201",), **more)  # type: ignore[arg-type]


async def comes(place: Place, count: int = 1) -> list[Circular]:
    """Wait until so many circulars are there."""

    async def there() -> bool:
        return len(await place.circulars()) >= count

    await until(there)
    return await place.circulars()


async def refused(place: Place, reason: str) -> None:
    """Wait until something was refused for this reason."""

    async def there() -> bool:
        return any(reason in known for known in await place.reasons())

    try:
        await until(there)
    except AssertionError:
        raise AssertionError(f"{reason} is not among {await place.reasons()}") from None
