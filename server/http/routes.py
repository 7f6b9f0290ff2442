"""Finding the door of a Matrix path.

aiohttp tries the patterns below a common prefix one after the other; below ``rooms/`` there are forty. Here the
path is walked segment by segment, which costs the same for all. The walk also gives what the specification and old
clients want of every path: ``r0`` means ``v3``, a slash at the end does not matter, an unknown path or method is a
Matrix error in JSON, and everything carries CORS headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractResource, AbstractRoute, ResourceRoute, UrlMappingMatchInfo
from yarl import URL

from server.foundation.errors import Refused
from server.http.answers import CORS, Handler, answer_refusals

PREFIXES: Final = ("/_matrix", "/_synapse", "/.well-known/matrix")
_CLIENT: Final = "/_matrix/client/"


class Doors:
    """Registers handlers on an application.

    A path is meant below ``/_matrix/client/`` unless it begins with a slash: ``"v3/login"`` is
    ``/_matrix/client/v3/login`` and its alias ``r0``. ``{name}`` stands for one segment, found decoded in
    ``request.match_info``.
    """

    def __init__(self, app: web.Application) -> None:
        self._trees = {prefix: DoorTree(prefix) for prefix in PREFIXES}
        for tree in self._trees.values():
            app.router.register_resource(tree)
        app.on_response_prepare.append(_add_cors_headers)

    def get(self, path: str, handler: Handler) -> None:
        """Answer GET at ``path``."""
        self.add("GET", path, handler)

    def put(self, path: str, handler: Handler) -> None:
        """Answer PUT at ``path``."""
        self.add("PUT", path, handler)

    def post(self, path: str, handler: Handler) -> None:
        """Answer POST at ``path``."""
        self.add("POST", path, handler)

    def delete(self, path: str, handler: Handler) -> None:
        """Answer DELETE at ``path``."""
        self.add("DELETE", path, handler)

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Answer ``method`` at ``path``; raises ``ValueError`` for a path that is outside of Matrix or taken."""
        full = path if path.startswith("/") else _CLIENT + path
        for prefix, tree in self._trees.items():
            if full.startswith(prefix + "/"):
                tree.add(method, full, handler)
                return
        raise ValueError(f"{path} is no path of Matrix")


class _Node:
    __slots__ = ("any", "names", "routes", "static")

    def __init__(self) -> None:
        self.static: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: dict[str, ResourceRoute] = {}
        self.names: tuple[str, ...] = ()


class DoorTree(AbstractResource):
    """All doors below one prefix, as one resource of the application's router."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self._root = _Node()
        self._routes: list[AbstractRoute] = []
        self._unknown = ResourceRoute("*", answer_refusals(_unknown_path), self)
        self._wrong_method = ResourceRoute("*", answer_refusals(_wrong_method), self)
        self._preflight = ResourceRoute("OPTIONS", _preflight, self)
        self._impossible = ResourceRoute("*", answer_refusals(_impossible_path), self)

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Register a handler at a full path below the prefix."""
        node, names = self._root, []
        for segment in path[len(self._prefix) + 1 :].split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.any = node = node.any or _Node()
            else:
                node = node.static.setdefault(segment, _Node())
        if method in node.routes:
            raise ValueError(f"{method} {path} has a handler already")
        route = ResourceRoute(method, answer_refusals(handler), self)
        node.routes[method] = route
        # Two doors at one place may name its segments differently only if they would never be asked for together.
        node.names = node.names or tuple(names)
        if node.names != tuple(names):
            raise ValueError(f"{path} names its segments otherwise than before")
        self._routes.append(route)

    def find(self, method: str, raw_path: str) -> tuple[AbstractRoute, dict[str, str]]:
        """The route of an encoded path, and its variable segments, decoded."""
        if "%00" in raw_path:
            return self._impossible, {}
        node, values = self._root, []
        for segment in raw_path[len(self._prefix) + 1 :].split("/"):
            following = node.static.get(segment)
            if following is None:
                if not segment:
                    continue
                if segment == "r0" and node is self._client_root:
                    following = node.static["v3"]
                elif node.any is None:
                    return self._nothing(method), {}
                else:
                    following = node.any
                    values.append(unquote(segment) if "%" in segment else segment)
            node = following
        route = node.routes.get(method)
        if route is not None:
            return route, dict(zip(node.names, values, strict=True))
        if not node.routes:
            return self._nothing(method), {}
        return self._preflight if method == "OPTIONS" else self._wrong_method, {}

    @property
    def _client_root(self) -> _Node | None:
        return self._root.static.get("client")

    def _nothing(self, method: str) -> AbstractRoute:
        return self._preflight if method == "OPTIONS" else self._unknown

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo, set[str]]:
        """What the router asks for each request."""
        route, values = self.find(request.method, request.rel_url.raw_path)
        return UrlMappingMatchInfo(values, route), set()

    @property
    def canonical(self) -> str:
        """The prefix, under which the router looks for this resource."""
        return self._prefix

    def raw_match(self, path: str) -> bool:
        """Never: no other resource may be joined with this one."""
        return False

    def url_for(self, **kwargs: str) -> URL:
        """Not offered."""
        raise NotImplementedError

    def add_prefix(self, prefix: str) -> None:
        """Not offered: Matrix paths are absolute."""
        raise NotImplementedError

    def get_info(self) -> Any:
        """For the framework's inspection."""
        return {"prefix": self._prefix}

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(self._routes)


async def _unknown_path(_request: web.Request) -> web.StreamResponse:
    raise Refused("This path is not known here", code="M_UNRECOGNIZED", status=404)


async def _wrong_method(_request: web.Request) -> web.StreamResponse:
    raise Refused("This method is not known for this path", code="M_UNRECOGNIZED", status=405)


async def _impossible_path(_request: web.Request) -> web.StreamResponse:
    """No id contains NUL, and not every database can even be asked for one."""
    raise Refused("A path contains no NUL", code="M_INVALID_PARAM")


async def _preflight(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def _add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(request.match_info.route.resource, DoorTree):
        response.headers.update(CORS)
