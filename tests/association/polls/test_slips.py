"""Answer slips: printed once for each voice on paper, read from photos as they are taken, found by officers only."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pypdf
import pytest
import segno
from PIL import Image

from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Channel, Role
from server.association.polls import slips_store as store
from server.association.polls.model import Counting, Question
from server.association.polls.slip_reading import codes_in
from server.association.polls.slips import SLIP_LIMITS, Print, Slips
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.worker_process import WorkerProcess
from tests.association.polls.asking import Asking, asking

ADDRESS = "https://sakura.example"
QUESTION = Question(
    text="夏まつりの 手伝いが できますか", choices=("はい", "いいえ", "まだ わかりません"), audience=EVERYONE,
    counting=Counting.HOUSEHOLD)


@pytest.fixture(name="here")
async def open_node(tmp_path: Path) -> AsyncIterator[Asking]:
    async with asking(tmp_path / "node.db") as found:
        yield found


@pytest.fixture
async def slips(here: Asking) -> AsyncIterator[Slips]:
    node = here.street.node
    worker = WorkerProcess(node.clock, "slips", SLIP_LIMITS)
    try:
        yield Slips(node.database, node.members, here.polls.results, worker, worker, Print("桜町町内会", ADDRESS))
    finally:
        await worker.close()


def photo_of(*addresses: str, turned: float = 0.0, kind: str = "JPEG") -> bytes:
    """A table with codes on it, taken with a telephone."""
    table = Image.new("RGB", (700 * max(1, len(addresses)), 800), "#c8b89a")
    for number, address in enumerate(addresses):
        out = io.BytesIO()
        segno.make(address, error="m", micro=False).save(out, kind="png", scale=6, border=4)
        table.paste(Image.open(out), (number * 700 + 60, 60))
    data = io.BytesIO()
    table.rotate(turned, expand=True, fillcolor="#c8b89a").save(data, kind, quality=70)
    return data.getvalue()


async def paper_household(here: Asking, name: str) -> str:
    person = await here.street.node.person(name, account=False)
    return person.household_id


async def test_a_slip_is_printed_for_every_paper_household_and_keeps_its_code(here: Asking, slips: Slips) -> None:
    home_id = await paper_household(here, "紙の 家")
    poll = await here.polls.start(here.chair, QUESTION)
    pdf = await slips.pdf(here.chair, poll.id)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "紙の 家" in text
    assert "夏まつりの" in text
    first = await store.slips_of(here.street.node.database, poll.id)
    assert home_id in {slip.household_id for slip in first}
    await slips.pdf(here.chair, poll.id, everybody=True)
    again = await store.slips_of(here.street.node.database, poll.id)
    assert set(first) <= set(again)
    assert len(again) == len(here.street.node.members.households())


async def test_where_everybody_has_a_voice_there_is_a_slip_for_each(here: Asking, slips: Slips) -> None:
    home_id = await paper_household(here, "紙の 家")
    node = here.street.node
    await node.editor.add_person(node.node, home_id, "紙の 妻")
    poll = await here.ask("はい", "いいえ")
    await slips.pdf(here.chair, poll.id)
    made = [slip for slip in await store.slips_of(node.database, poll.id) if slip.household_id == home_id]
    assert len({slip.person_id for slip in made} - {""}) == 2


async def test_a_digital_household_gets_none_unless_all_are_printed(here: Asking, slips: Slips) -> None:
    node = here.street.node
    for home in node.members.households():
        await node.editor.set_channel(node.node, home.id, Channel.DIGITAL)
    poll = await here.polls.start(here.chair, QUESTION)
    with pytest.raises(InvalidParam):
        await slips.pdf(here.chair, poll.id)
    assert await slips.pdf(here.chair, poll.id, everybody=True)


async def test_a_slip_comes_back_and_its_answer_counts(here: Asking, slips: Slips) -> None:
    home_id = await paper_household(here, "紙の 家")
    poll = await here.polls.start(here.chair, QUESTION)
    await slips.pdf(here.chair, poll.id)
    made = {slip.household_id: slip for slip in await store.slips_of(here.street.node.database, poll.id)}
    code = made[home_id].id
    (found,) = await slips.codes_in(photo_of(f"{ADDRESS}/slips/{code}", turned=17))
    slip = await slips.find(here.chair, found)
    assert (slip.name, slip.answer) == ("紙の 家", None)
    await here.polls.enter_for_household(here.chair, poll.id, home_id, ["c1"], CameBy.PAPER)
    answer = (await slips.find(here.chair, found)).answer
    assert answer is not None
    assert (answer.chosen, answer.channel) == (("c1",), CameBy.PAPER)


async def test_only_who_looks_after_the_block_finds_a_slip(here: Asking, slips: Slips) -> None:
    node = here.street.node
    home_id = await paper_household(here, "紙の 家")
    leader = await node.person("班長 二", "2班", [Role.BLOCK_LEADER])
    own = await node.person("班長 一", "1班", [Role.BLOCK_LEADER])
    poll = await here.polls.start(here.chair, QUESTION)
    await slips.pdf(here.chair, poll.id)
    (code,) = [slip.id for slip in await store.slips_of(node.database, poll.id) if slip.household_id == home_id]
    assert (await slips.find(str(own.user_id), code)).name == "紙の 家"
    with pytest.raises(Forbidden):
        await slips.find(str(leader.user_id), code)
    with pytest.raises(NotFound):
        await slips.find(here.chair, "unknowncode1")
    await here.polls.close(here.chair, poll.id)
    with pytest.raises(Refused):
        await slips.pdf(here.chair, poll.id)


def test_several_slips_on_one_photo_are_found() -> None:
    addresses = [f"{ADDRESS}/slips/abcdefgh{number}" for number in range(4)]
    assert sorted(codes_in({}, photo_of(*addresses))[0]["texts"]) == addresses
    assert codes_in({}, photo_of(*addresses[:1], turned=180, kind="PNG"))[0]["texts"] == addresses[:1]


@pytest.mark.parametrize("data", [b"no picture", b"\xff\xd8\xff\xe0broken", b"GIF89a" + bytes(50), b"%PDF-1.7"])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidParam):
        codes_in({}, data)


async def test_a_photo_without_a_slip_finds_nothing(slips: Slips) -> None:
    assert await slips.codes_in(photo_of("https://example.org/x")) == []
    assert await slips.codes_in(photo_of()) == []
    with pytest.raises(InvalidParam):
        await slips.codes_in(b"")
