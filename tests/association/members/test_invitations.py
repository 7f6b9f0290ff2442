"""Coming in by a card: once, without mail and without password."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.association.members.invitation_secrets import new_code, read_code
from server.association.members.invitations import CardSettings, Invitations
from server.association.members.invitations_store import InvitationKind
from server.association.members.model import Person, Purpose, Role
from server.association.members.newcomers import Newcomer
from server.foundation.errors import Forbidden, InvalidParam, LimitExceeded, NotFound, Refused
from tests.association.world import World, world
from tests.fakes.clock import FakeClock

_ADDRESS = "192.0.2.7"


def _invitations(node: World) -> Invitations:
    settings = CardSettings("https://sakura.example", b"pepper")
    return Invitations(node.database, node.clock, node.members, node.editor, node.accounts, settings)


@pytest.mark.parametrize("by", ["token", "code"])
async def test_a_card_brings_a_person_in_with_rooms_and_no_device(tmp_path: Path, by: str) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", account=False)
        invitations = _invitations(node)
        (card,) = await invitations.cards_for(node.node, [person])
        assert card.link.startswith("https://sakura.example/i/")
        secret = card.link.rpartition("/")[2] if by == "token" else card.code.lower().replace("-", " ")
        welcome = await invitations.redeem(secret, _ADDRESS)
        assert node.members.person_of_user(welcome.user_id) == node.members.person(person.id)
        assert welcome.is_new
        assert await node.accounts.sessions.devices(welcome.user_id) == []
        assert node.members.desk_room_of(person.id) is not None
        circulars = await node.live(node.members.hall_room(Purpose.CIRCULARS))
        assert circulars.membership(welcome.user_id) == "join"
        assert await node.accounts.profiles.field(welcome.user_id, "displayname") == "佐藤 花子"


async def test_a_card_is_used_once_even_by_two_at_the_same_moment(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", account=False)
        invitations = _invitations(node)
        (card,) = await invitations.cards_for(node.node, [person])
        both = await asyncio.gather(
            *[invitations.redeem(card.code, _ADDRESS) for _ in range(2)], return_exceptions=True
        )
        assert sum(isinstance(item, Refused) for item in both) == 1
        with pytest.raises(NotFound):
            await invitations.redeem(card.code, _ADDRESS)
    async with world(tmp_path / "node.db") as node:
        with pytest.raises(NotFound):
            await _invitations(node).redeem(card.link.rpartition("/")[2], _ADDRESS)
        assert len(await node.accounts.list_users()) == 2  # the node's own, and one


@pytest.mark.slow
async def test_a_whole_hall_comes_in_at_once(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        roster = "班,氏名\n" + "".join(f"{number % 3}班,人{number}\n" for number in range(30))
        await node.exchange.take_in(node.node, roster.encode())
        invitations = _invitations(node)
        cards = await invitations.cards_for(node.node, node.members.persons())
        welcomes = await asyncio.gather(*[invitations.redeem(card.code, _ADDRESS) for card in cards])
        users = {welcome.user_id for welcome in welcomes}
        assert len(users) == 30
        circulars = await node.live(node.members.hall_room(Purpose.CIRCULARS))
        assert circulars.joined == {*users, node.node}
        assert len({node.members.desk_room_of(person.id) for person in node.members.persons()}) == 30


async def test_void_and_old_cards_are_refused_alike(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path / "node.db", clock=clock) as node:
        person = await node.person("佐藤 花子", account=False)
        invitations = _invitations(node)
        (replaced,) = await invitations.cards_for(node.node, [person])
        (revoked,) = await invitations.cards_for(node.node, [person])
        await invitations.revoke(node.node, person.id)
        (old,) = await invitations.cards_for(node.node, [person])
        await clock.advance(91 * 86_400)
        reasons = set()
        for secret in (replaced.code, revoked.code, old.code, "ACDE-FGHJ", "", "x" * 5_000, "\ud800"):
            with pytest.raises(NotFound) as refusal:
                await invitations.redeem(secret, _ADDRESS)
            reasons.add(refusal.value.reason)
        assert len(reasons) == 1
        assert node.members.person(person.id).user_id is None
        assert await invitations.list_open(node.node) == []


async def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path / "node.db", clock=clock) as node:
        person = await node.person("佐藤 花子", account=False)
        invitations = _invitations(node)
        (card,) = await invitations.cards_for(node.node, [person])
        for _ in range(10):
            with pytest.raises(NotFound):
                await invitations.redeem(new_code(), _ADDRESS)
        with pytest.raises(LimitExceeded):
            await invitations.redeem(card.code, _ADDRESS)
        await invitations.look_at(card.code, "198.51.100.1")
        await clock.advance(61)
        await invitations.redeem(card.code, _ADDRESS)


async def test_cards_are_printed_in_walking_order(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await node.exchange.take_in(node.node, "班,氏名\n1班,い\n2班,は\n1班,ろ\n".encode())
        cards = await _invitations(node).cards_for(node.node, reversed(node.members.persons()))
        assert [card.person.name for card in cards if card.person] == ["い", "ろ", "は"]
        assert len({card.code for card in cards} | {card.link for card in cards}) == 6


async def test_a_helper_hands_out_cards_but_not_for_somebody_who_is_in_already(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        helper = await node.person("補助 一郎", roles=[Role.HELPER])
        chair = await node.person("会長 太郎", roles=[Role.CHAIR])
        new = await node.person("佐藤 花子", account=False)
        invitations = _invitations(node)
        assert len(await invitations.cards_for(str(helper.user_id), [new])) == 1
        with pytest.raises(Forbidden):
            await invitations.cards_for(str(helper.user_id), [chair])
        with pytest.raises(Forbidden):
            await invitations.cards_for("@stranger:sakura.example", [new])


async def test_a_new_telephone_comes_to_the_same_account_and_leaves_others_logged_in(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子")
        invitations = _invitations(node)
        (card,) = await invitations.cards_for(node.node, [person])
        _, device_id = await node.accounts.create_session(str(person.user_id))
        welcome = await invitations.redeem(card.code, _ADDRESS, password="for a new client")
        assert (welcome.user_id, welcome.is_new) == (person.user_id, False)
        assert await node.accounts.users.authenticate(welcome.user_id, "for a new client") is not None
        assert [device.device_id for device in await node.accounts.sessions.devices(welcome.user_id)] == [device_id]
        with pytest.raises(NotFound):
            await invitations.redeem(card.code, _ADDRESS)
        assert len(await node.members.looks(node.node)) == 1


async def test_a_card_for_a_new_telephone_is_good_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path / "node.db", clock=clock, set_up=False) as node:
        person = await node.person("佐藤 花子")
        invitations, back = _invitations(node), list[InvitationKind]()

        async def came_back(_person: Person, kind: InvitationKind) -> None:
            back.append(kind)

        invitations.when_back(came_back)
        card = await invitations.phone_card(node.node, person.id, only=False)
        await clock.advance(14 * 60)
        second = await invitations.phone_card(node.node, person.id, only=True)
        with pytest.raises(NotFound):
            await invitations.redeem(card.code, _ADDRESS)
        await clock.advance(14 * 60)
        assert (await invitations.redeem(second.code, _ADDRESS)).user_id == person.user_id
        assert back == [InvitationKind.ONLY_PHONE]
        third = await invitations.phone_card(node.node, person.id, only=False)
        await clock.advance(16 * 60)
        with pytest.raises(NotFound):
            await invitations.redeem(third.code, _ADDRESS)
        assert len(await invitations.phone_cards(node.node)) == 3


async def test_a_free_card_asks_for_name_and_block(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        await node.editor.add_block(node.node, "1班")
        chair = await node.person("会長 太郎", roles=[Role.CHAIR], account=False)
        invitations = _invitations(node)
        card = await invitations.free_card(node.node)
        for newcomer in (None, Newcomer("", "1班"), Newcomer("佐藤 花子", "9班")):
            with pytest.raises(InvalidParam):
                await invitations.redeem(card.code, _ADDRESS, newcomer=newcomer)
        welcome = await invitations.redeem(card.code, _ADDRESS, newcomer=Newcomer("会長 太郎", "１班"))
        assert welcome.person_id != chair.id  # nobody becomes chair by saying so
        assert node.members.block_of(welcome.person_id).name == "1班"


async def test_the_first_officer_is_invited_by_name(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        invitations = _invitations(node)
        for _ in range(2):
            card = await invitations.card_by_name(node.node, Newcomer("会長 太郎", "1班"), Role.CHAIR)
        welcome = await invitations.redeem(card.code, _ADDRESS)
        assert len(node.members.persons()) == 1
        assert node.members.roles_of_user(welcome.user_id) == {Role.CHAIR}
        assert node.members.is_officer(welcome.user_id)


def test_codes_are_read_as_people_type_them() -> None:
    code = new_code()
    wide = "".join(chr(ord(char) + 0xFEE0) if char != "-" else "ー" for char in code)
    assert read_code(code.lower()) == read_code(f" {code[:4]} {code[5:]} ") == code.replace("-", "")
    assert read_code(wide.replace("ー", "－")) == code.replace("-", "")
    assert read_code("ACDE-FGH0") is None
