"""Circulars in other languages: sent once, kept, limited; nothing that is for officers only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web

from server.association.circulars.libretranslate import LibreTranslate
from server.association.circulars.translating import CircularTranslations, Unavailable
from server.association.members.model import OFFICERS
from server.foundation.errors import Refused
from server.foundation.outgoing import Outgoing
from tests.association.circulars.going_round import GoingRound, going_round

LOCAL = [ip_network("127.0.0.0/8")]


class Pretended:
    """A service that says everything in capital letters of another language."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.is_broken = False

    async def translate(self, lines: Sequence[str], language: str) -> list[str]:
        self.asked.append(tuple(lines))
        if self.is_broken:
            raise Unavailable
        return [f"{language}:{line}" for line in lines]


def translations_of(found: GoingRound, service: Pretended, letters: int = 10_000) -> CircularTranslations:
    return CircularTranslations(found.street.node.database, found.clock, service, letters)


async def test_a_circular_is_translated_once_and_kept_until_it_says_something_else(tmp_path: Path) -> None:
    service = Pretended()
    async with going_round(tmp_path / "node.db") as found:
        translations = translations_of(found, service)
        circular = await found.post("清掃", "朝8時\n\n公園")
        first, second = await asyncio.gather(translations.of(circular, "en"), translations.of(circular, "en"))
        assert first == second
        assert (first.title, first.text) == ("en:清掃", "en:朝8時\n\nen:公園")
        assert service.asked == [("清掃", "朝8時", "公園")]
    async with going_round(tmp_path / "node.db") as found:
        translations = translations_of(found, service)
        await translations.of(circular, "en")
        assert len(service.asked) == 1
        await translations.of(circular, "vi")
        other = await found.post("清掃", "朝9時")
        await translations.of(other, "en")
        assert len(service.asked) == 3


async def test_what_is_for_officers_only_or_withdrawn_never_leaves(tmp_path: Path) -> None:
    service = Pretended()
    async with going_round(tmp_path / "node.db") as found:
        translations = translations_of(found, service)
        secret = await found.post(audience=OFFICERS)
        withdrawn = await found.circulars.withdraw(found.chair, (await found.post()).id)
        for circular in (secret, withdrawn):
            assert not translations.may_be_sent(circular)
            with pytest.raises(Refused):
                await translations.of(circular, "en")
        assert service.asked == []


async def test_a_broken_service_is_left_in_peace_for_a_minute(tmp_path: Path) -> None:
    service = Pretended()
    async with going_round(tmp_path / "node.db") as found:
        translations, circular = translations_of(found, service), await found.post()
        service.is_broken = True
        for _ in range(3):
            with pytest.raises(Refused):
                await translations.of(circular, "en")
        assert len(service.asked) == 1
        service.is_broken = False
        await found.clock.advance(61)
        assert (await translations.of(circular, "en")).title


async def test_the_letters_of_a_day_are_limited(tmp_path: Path) -> None:
    service = Pretended()
    async with going_round(tmp_path / "node.db") as found:
        translations = translations_of(found, service, letters=10)
        first, second = await found.post("清掃", "公園です"), await found.post("祭り", "公園ですよ")
        await translations.of(first, "en")
        with pytest.raises(Refused) as fault:
            await translations.of(second, "en")
        assert "いっぱい" in fault.value.reason
        await translations.of(first, "en")
        await found.clock.advance(86_400)
        await translations.of(second, "en")


@asynccontextmanager
async def service_that_answers(answer: object, status: int = 200) -> AsyncIterator[tuple[str, list[object]]]:
    asked: list[object] = []

    async def translate(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_post("/translate", translate)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", asked
    finally:
        await runner.cleanup()


async def test_the_service_is_asked_in_its_own_words() -> None:
    async with service_that_answers({"translatedText": ["Cleaning ", "Park\nat eight"]}) as (url, asked):
        service = LibreTranslate(Outgoing(LOCAL), url, "secret")
        assert await service.translate(["清掃", "公園"], "en") == ["Cleaning", "Park at eight"]
        await service.close()
        assert asked == [
            {"q": ["清掃", "公園"], "source": "ja", "target": "en", "format": "text", "api_key": "secret"}]


@pytest.mark.parametrize(("answer", "status"), [
    ({"translatedText": ["one"]}, 200), ({"translatedText": "one"}, 200), ({"error": "no"}, 200), ([1], 200),
    ({"translatedText": [1, 2]}, 200), ({"translatedText": ["a", "b"]}, 429), ("x", 500),
])  # fmt: skip
async def test_an_answer_that_is_none_is_told_as_unavailable(answer: object, status: int) -> None:
    async with service_that_answers(answer, status) as (url, _asked):
        service = LibreTranslate(Outgoing(LOCAL), url, "")
        with pytest.raises(Unavailable):
            await service.translate(["清掃", "公園"], "en")
        await service.close()


async def test_a_service_in_a_network_that_is_not_allowed_is_not_asked() -> None:
    async with service_that_answers({"translatedText": ["one"]}) as (url, asked):
        service = LibreTranslate(Outgoing(), url, "")
        with pytest.raises(Unavailable):
            await service.translate(["清掃"], "en")
        await service.close()
        assert asked == []
