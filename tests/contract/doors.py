"""Which doors a node has: method and path of every handler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from server import assembly
from server.http.routes import DoorTree
from tests.builders import settings_for

_CLIENT = ("/_matrix/client/", "/_matrix/media/", "/.well-known/matrix/")
# Told to other servers, not to clients.
_OF_SERVERS = "/.well-known/matrix/server"


@dataclass(frozen=True, slots=True)
class DoorsOfANode:
    """What a node answers."""

    trees: Sequence[DoorTree]

    def routes(self) -> set[str]:
        """``GET /_matrix/client/v3/devices/x`` and so on, as far as clients ask for them; x is for what varies."""
        routes = [route for tree in self.trees for route in _routes(tree._root, tree.canonical)]
        return {f"{method} {path}" for method, path in routes if path.startswith(_CLIENT) and path != _OF_SERVERS}

    def has(self, method: str, path: str) -> bool:
        """Whether somebody stands at the door for this path."""
        for tree in self.trees:
            if path.startswith(tree.canonical + "/"):
                found, _values = tree.find(method, path.replace("{", "").replace("}", ""))
                return found not in (tree._unknown, tree._wrong_method)
        return False


async def doors_of_a_node(folder: Path) -> DoorsOfANode:
    """The doors of a usual node."""
    async with assembly.build(settings_for(folder), None) as node:
        resources = assembly.make_app(node).router.resources()
        return DoorsOfANode([found for found in resources if isinstance(found, DoorTree)])


def _routes(place: object, path: str) -> Iterator[tuple[str, str]]:
    for method in place.routes:  # type: ignore[attr-defined]
        yield method, path.rstrip("/")
    for name, following in place.static.items():  # type: ignore[attr-defined]
        yield from _routes(following, f"{path}/{name}")
    if place.any is not None:  # type: ignore[attr-defined]
        yield from _routes(place.any, f"{path}/x")  # type: ignore[attr-defined]
