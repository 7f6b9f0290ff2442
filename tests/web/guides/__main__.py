"""``make guides``: the guides of all roles, and the pictures of the README, from a run of the real pages."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from server.web.pages.guides import GUIDES
from tests.web.guides.making import keep, print_to, studio
from tests.web.guides.readme_pictures import make_readme_pictures


async def make() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as folder:
        async with studio(Path(folder)) as place:
            async for guide in place.write(GUIDES, takes_pictures=GUIDES):
                await print_to(place.browser, keep(guide))
                print(guide.name)


if __name__ == "__main__":
    asyncio.run(make())
    with tempfile.TemporaryDirectory() as place_of_demo:
        make_readme_pictures(Path(place_of_demo) / "demo")
