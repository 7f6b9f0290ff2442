"""A web site with Hydrogen on it, made from the npm package hydrogen-view-sdk without a bundler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.real import require_real

_PAGE: Final = Path(__file__).with_name("hydrogen")
# Packages of the old kind, which browsers cannot import as they are.
_COMMON_JS: Final = {
    "another-json": "another-json/another-json.js",
    "base64-arraybuffer": "base64-arraybuffer/lib/base64-arraybuffer.js",
    "off-color": "off-color/cjs/index.js",
}
_MODULES: Final = {
    "hydrogen": "hydrogen-view-sdk/lib-build/hydrogen.es.js",
    "service-worker": "hydrogen-view-sdk/lib-build/sw.js",
    "dompurify": "dompurify/dist/purify.es.js",
}


def _as_module(common_js: str) -> str:
    return (
        "const module = {exports: {}}, exports = module.exports;\n"
        f"(function () {{\n{common_js}\n}}).call(undefined);\nexport default module.exports;\n"
    )


def _library(packages: Path) -> dict[str, str]:
    texts = {name: (packages / file).read_text("utf-8") for name, file in _MODULES.items()}
    old = {name: _as_module((packages / file).read_text("utf-8")) for name, file in _COMMON_JS.items()}
    return {**texts, **old, "empty": ""}


@asynccontextmanager
async def hydrogen_site() -> AsyncIterator[str]:
    """The site's address: another origin than the node's, as with any client on the web."""
    packages = require_real("hydrogen-view-sdk").parent
    library = _library(packages)

    async def module(request: web.Request) -> web.Response:
        return web.Response(text=library[request.match_info["name"]], content_type="text/javascript")

    async def service_worker(_request: web.Request) -> web.Response:
        return web.Response(text=library["service-worker"], content_type="text/javascript")

    async def page(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE / "index.html")

    app = web.Application()
    app.router.add_get("/lib/{name}.js", module)
    app.router.add_static("/assets", packages / "hydrogen-view-sdk/asset-build/assets")
    app.router.add_static("/olm", packages / "@matrix-org/olm")
    app.router.add_get("/", page)
    app.router.add_get("/sw.js", service_worker)
    app.router.add_static("/", _PAGE)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
