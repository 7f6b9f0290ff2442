"""試用版: made-up neighbours move in and answer. Kept: only they go. Thrown away: nothing is left."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

from server import assembly
from server.assembly.trial_verbs import trial_of
from server.association.members.model import EVERYONE, Role
from server.association.polls.model import Question
from server.association.standing_papers.actions import StandingPapers
from server.association.standing_papers.model import Kind
from server.config import Settings, load_settings
from server.foundation.clock import SystemClock
from server.foundation.errors import Forbidden, Refused
from server.operation import trial
from server.operation.snapshot_store import take_snapshot
from tests.faults.process import NodeProcess
from tests.operation.houses import house
from tests.web.browser import Browser

CHAIR = "会田 長太郎"
QUESTION = Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
SAID = "これは ためしの かきこみです"


@asynccontextmanager
async def small_association(settings: Settings) -> AsyncIterator[tuple[assembly.Node, str]]:
    """A node with a chair only; they are there already where it ran before."""
    async with assembly.build(settings) as node:
        association = node.association
        known = next((person for person in association.members.persons() if person.name == CHAIR), None)
        if known is None:
            chief = association.members.node_user_id
            block = await association.editor.add_block(chief, "1班")
            home = await association.editor.add_household(chief, block.id, "会田")
            known = await association.editor.add_person(chief, home.id, CHAIR)
            await association.editor.give_role(chief, known.id, Role.CHAIR)
            async with association.editor.editing() as edit:
                edit.account(known.id, await node.accounts.create_user("chair", "a-long-password", CHAIR))
            known = association.members.person(known.id)
        yield node, str(known.user_id)


def found_in(database: Path, text: str) -> list[str]:
    """The tables in which a text stands."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [
            table for table in tables
            if any(text in _shown(value) for row in connection.execute(f'SELECT * FROM "{table}"') for value in row)
        ]


def _shown(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@pytest.mark.slow
async def test_thrown_away_means_that_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    settings = house(tmp_path / "node", f'[backup]\nfolder = "{tmp_path / "disk"}"\n')
    database = settings.data_dir / "kairan.db"
    asked: list[str] = []
    async with small_association(settings) as (node, chair):
        node.core.late.begin_again = lambda: asked.append("again")
        verbs = trial_of(node)
        await verbs.begin(chair)
        members = node.association.members
        assert len(members.persons()) > 30
        name = verbs.made_up()[0].name
        poll = await node.association.polls.start(chair, QUESTION)
        await node.association.polls.ask(poll.id)
        await verbs.answer_for_some()
        assert (await node.association.polls.results.count(poll)).persons.answered > 3
        await StandingPapers(node.core.database, node.core.clock, members).write(chair, Kind.RULES, SAID, 0)
        (settings.media_dir / "content" / "ab").mkdir(parents=True)
        (settings.media_dir / "content" / "ab" / "cdef").write_bytes(b"photo")
        (tmp_path / "disk/kairan-sakura.example-20991231-021000.tar.gz").write_bytes(b"a backup of the trial")
        with pytest.raises(Refused):
            await verbs.begin(chair)
        await verbs.throw_away(chair)
        assert trial.is_marked(settings)
    await trial.throw_away(settings, SystemClock())
    assert found_in(database, SAID) == []
    assert found_in(database, name) == []
    assert not (settings.data_dir / "trial").exists()
    assert list((settings.media_dir / "content").glob("*/*")) == []
    assert list((tmp_path / "disk").iterdir()) == []
    async with small_association(settings) as (node, chair):
        assert [person.name for person in node.association.members.persons()] == [CHAIR]
        assert [block.name for block in node.association.members.blocks()] == ["1班"]
        assert await node.accounts.users.authenticate(chair, "a-long-password") is not None
        assert not trial_of(node).standing(chair).goes_on


@pytest.mark.slow
async def test_kept_means_that_made_up_people_go_and_what_was_set_up_stays(tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    async with small_association(settings) as (node, chair):
        verbs, members = trial_of(node), node.association.members
        await verbs.begin(chair)
        names = {word for person in verbs.made_up() for word in (person.name, person.kana)}
        poll = await node.association.polls.start(chair, QUESTION)
        await node.association.polls.ask(poll.id)
        check = await node.association.safety_checks.start(chair, "訓練", EVERYONE, drill=True)
        await node.association.safety_checks.ask(check.id)
        await verbs.answer_for_some()
        papers = StandingPapers(node.core.database, node.core.clock, members)
        await papers.write(chair, Kind.RULES, SAID, 0)
        real = await node.association.editor.add_household(chair, members.blocks()[0].id, "本物")
        await node.association.editor.add_person(chair, real.id, "本田 物子")
        await verbs.keep(chair)
        assert sorted(person.name for person in members.persons()) == sorted([CHAIR, "本田 物子"])
        assert [block.name for block in members.blocks()] == ["1班"]
        assert members.groups() == []
        assert (await papers.all())[Kind.RULES].text == SAID
        assert not verbs.standing(chair).goes_on
        await verbs.keep(chair)
        with pytest.raises(Refused):
            await verbs.throw_away(chair)
    take_snapshot(settings.data_dir / "kairan.db", tmp_path / "rows.db")  # without what SQLite leaves between rows
    left = (tmp_path / "rows.db").read_bytes()
    assert len(names) > 40
    assert {name for name in names if name.encode() in left} == set()


async def test_only_who_gives_roles_tries_and_not_when_everybody_is_there_already(tmp_path: Path) -> None:
    async with small_association(house(tmp_path / "node")) as (node, chair):
        association, verbs = node.association, trial_of(node)
        home = association.members.households()[0]
        for number in range(61):
            await association.editor.add_person(association.members.node_user_id, home.id, f"住民 {number}")
        with pytest.raises(Refused, match="おおぜい"):
            await verbs.begin(chair)
        for verb in (verbs.begin, verbs.keep, verbs.throw_away):
            with pytest.raises(Forbidden):
                await verb("@stranger:sakura.example")


@pytest.mark.parametrize("step", ["settle", "_remove_backups", "_remove_files"])
async def test_a_kill_while_it_is_thrown_away_only_means_doing_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_given: object) -> None:
        raise Killed

    settings = house(tmp_path / "node")
    async with small_association(settings) as (node, chair):
        await asyncio.to_thread(trial.keep_moment, settings)
        papers = StandingPapers(node.core.database, node.core.clock, node.association.members)
        await papers.write(chair, Kind.RULES, SAID, 0)
        await asyncio.to_thread(trial.mark_for_throwing_away, settings)
    with monkeypatch.context() as patched:
        patched.setattr(trial, step, kill)
        with pytest.raises(Killed):
            await trial.throw_away(settings, SystemClock())
    assert trial.is_marked(settings)
    await trial.throw_away(settings, SystemClock())
    assert found_in(settings.data_dir / "kairan.db", SAID) == []
    assert not trial.is_marked(settings)


@pytest.mark.slow
async def test_by_two_buttons_a_running_node_is_as_it_was_before(tmp_path: Path) -> None:
    process = NodeProcess(tmp_path)
    plain = f'[http]\npublic_url = "{process.url}"\ndevelopment = true'  # a browser keeps no cookie for https here
    process.config.write_text(process.config.read_text().replace("[http]", plain))
    async with small_association(load_settings(process.config)):
        pass
    await process.start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        browser = Browser(process.url, http)
        await browser.log_in("chair", "a-long-password")
        await browser.get("/desk/trial")
        page = await browser.submit("/desk/trial/begin")
        assert "いま 試用中です" in page.text
        page = await browser.submit("/desk/trial/throw-away")
        assert "すてています" in page.text
        await process.ready()
        page = await browser.get("/desk/trial")
        assert "試用を はじめる" in page.text, "the chair is logged in still"
        assert "試用1班" not in (await browser.get("/desk/roster")).text
    assert await process.stop() == 0
    assert found_in(tmp_path / "kairan.db", "試用") == []
