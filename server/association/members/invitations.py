"""Invitations: a printed card with a QR link and a short code brings a person in, without mail and without password.

Redeeming makes the account, attaches it to the person and uses up the invitation in one commit; the rooms follow.
A card for somebody who has an account already is the way onto a new phone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from server.accounts.accounts import Accounts
from server.association.members.attempts import Attempts
from server.association.members.edit import Edit, RosterChange
from server.association.members.editor import MemberEditor, new_id
from server.association.members.invitation_secrets import (
    hash_code,
    hash_token,
    new_code,
    new_localpart,
    new_token,
    read_code,
)
from server.association.members.invitations_store import (
    Invitation,
    InvitationKind,
    InvitationState,
    add_invitation,
    find_invitation,
    open_invitations,
    phone_invitations,
    revoke_invitation,
    revoke_invitations_of,
    use_invitation,
)
from server.association.members.members import Members
from server.association.members.model import Person, Right, Role, rights_of
from server.association.members.newcomers import Newcomer, Newcomers
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.storage.database import Database, Writes

_DAY_MS: Final = 86_400_000
_VALID_MS: Final = 90 * _DAY_MS
# Whoever sits at the table uses it at once.
_PHONE_MS: Final = 15 * 60_000
_MOST_CARDS: Final = 5_000
_TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class Card:
    """What is printed for a person (``None``: for whoever it is given to). Shown once, kept nowhere."""

    person: Person | None
    link: str
    code: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody has come in: their account, and whether it was made just now."""

    user_id: str
    person_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class CardSettings:
    """``public_url`` stands in the links; ``pepper`` is a secret of the node for the codes' hashes."""

    public_url: str
    pepper: bytes


# Hears of somebody who has an account and comes in with a card, before the card is used up.
WhenBack = Callable[[Person, InvitationKind], Awaitable[None]]


class Invitations:
    """Hands out invitations, and lets people in by them."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, editor: MemberEditor, accounts: Accounts,
        settings: CardSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._editor = editor
        self._accounts = accounts
        self._settings = settings
        self._attempts = Attempts(clock)
        self._newcomers = Newcomers(members, editor)
        self._in_use: set[str] = set()
        self._when_back: list[WhenBack] = []

    def when_back(self, listener: WhenBack) -> None:
        """Await ``listener`` whenever somebody with an account comes in on a new telephone."""
        self._when_back.append(listener)

    # ---- handing out -----------------------------------------------------------------------------------------------

    async def cards_for(self, officer: str, persons: Iterable[Person]) -> list[Card]:
        """New invitations for these persons, in walking order; cards that they had before are void.

        A card for somebody with an account lets its holder in as that person, so it takes the right to edit the
        roster, and is logged. Raises ``Forbidden``.
        """
        chosen = {person.id for person in persons}
        ordered = [person for person in self._members.persons() if person.id in chosen]
        if len(ordered) > _MOST_CARDS:
            raise InvalidParam(f"一度につくれる招待は{_MOST_CARDS}人分までです")
        for person in ordered:
            self._members.require(officer, Right.INVITE, self._members.block_of(person.id).id)
        renewed = [person for person in ordered if person.user_id is not None]
        if renewed:
            self._members.require(officer, Right.EDIT_ROSTER)
            await self._members.log_look(officer, f"電話を替えた人の招待カード（{len(renewed)}人）")
        writes = Writes()
        for person in ordered:
            revoke_invitations_of(writes, person.id)
        cards = [self._new_card(writes, officer, person) for person in ordered]
        await asyncio.shield(self._database.submit(writes))
        return cards

    async def phone_card(self, officer: str, person_id: str, *, only: bool) -> Card:
        """A card for a new telephone of somebody who has an account: good for a quarter of an hour, once, and logged.

        ``only``: whatever was logged in before is signed out when it is used. Whoever uses it is that person, so nobody
        can make one for somebody with more rights than their own (but who edits the roster). Raises ``Forbidden``,
        ``Refused`` for somebody who has not come in yet.
        """
        person = self._members.person(person_id)
        if not self.may_make_phone_card(officer, person_id):
            self._members.require(officer, Right.EDIT_ROSTER)
        if person.user_id is None:
            raise Refused("まだ 登録していない人です。招待カードを 出してください。")
        await self._members.log_look(officer, "新しい電話の カード（1人）")
        return await self._hand_out(officer, person, InvitationKind.ONLY_PHONE if only else InvitationKind.PHONE)

    def may_make_phone_card(self, officer: str, person_id: str) -> bool:
        """Whether ``phone_card`` is for this officer, too, where it is about this person."""
        theirs, own = (rights_of(roles) for roles in (
            self._members.roles_of(person_id), self._members.roles_of_user(officer)))
        return self._members.may(officer, Right.EDIT_ROSTER) or (Right.SIGN_IN_AGAIN in own and theirs <= own)

    async def family_card(self, user_id: str) -> Card:
        """One's own card for the telephone of one's family: good for a quarter of an hour, once, and only where
        somebody of the same household is. Raises ``Forbidden`` for an account of nobody on the roster.
        """
        person = self._members.person_of_user(user_id)
        if person is None:
            raise Forbidden("名簿にまだ名前がありません")
        return await self._hand_out(user_id, person, InvitationKind.FAMILY)

    async def own_card(self, user_id: str) -> Card:
        """The same for oneself, while the telephone of before is still there. Raises ``NotFound`` for strangers."""
        person = self._members.person_of_user(user_id)
        if person is None:
            raise NotFound("あなたの名前が 名簿に まだありません。")
        writes = Writes()
        revoke_invitations_of(writes, person.id)
        card = self._new_card(writes, user_id, person, InvitationKind.PHONE)
        await asyncio.shield(self._database.submit(writes))
        return card

    async def phone_cards(self, officer: str) -> list[Invitation]:
        """Those of the last day, for the officers to see who has made which."""
        self._members.require(officer, Right.SIGN_IN_AGAIN)
        return await phone_invitations(self._database, self._clock.now_ms() - _DAY_MS)

    async def card_by_name(self, officer: str, newcomer: Newcomer, role: Role | None = None) -> Card:
        """A card for somebody who may not be on the roster yet: they, and their block, are entered first."""
        self._members.require(officer, Right.EDIT_ROSTER)
        person = await self._newcomers.enter(newcomer, by_officer=True)
        if role is not None:
            await self._editor.give_role(officer, person.id, role)
        return (await self.cards_for(officer, [person]))[0]

    async def free_card(self, officer: str) -> Card:
        """An invitation for nobody in particular: its holder says who they are."""
        self._members.require(officer, Right.INVITE)
        return await self._hand_out(officer, None, InvitationKind.COME_IN)

    async def revoke(self, officer: str, person_id: str) -> None:
        """Make a person's open cards void."""
        self._members.require(officer, Right.INVITE, self._members.block_of(person_id).id)
        await self._members.log_look(officer, "招待カードを 使えなくした（1人）")
        writes = Writes()
        revoke_invitations_of(writes, person_id)
        await asyncio.shield(self._database.submit(writes))

    async def revoke_free(self, officer: str, invitation_id: str) -> None:
        """Make one open card void, by the id that ``list_open`` shows."""
        self._members.require(officer, Right.INVITE)
        await self._members.log_look(officer, "招待カードを 使えなくした（名前のない 1枚）")
        writes = Writes()
        revoke_invitation(writes, invitation_id)
        await asyncio.shield(self._database.submit(writes))

    async def list_open(self, officer: str) -> list[Invitation]:
        """All cards that can still be used. The secrets are nowhere; a lost card is printed anew."""
        self._members.require(officer, Right.INVITE)
        return await open_invitations(self._database, self._clock.now_ms())

    async def has_open_card(self, officer: str, person_id: str) -> bool:
        """Whether somebody, who has not come in yet, may still do so with a card, for those who may make it void."""
        if not self._members.may(officer, Right.INVITE, self._members.block_of(person_id).id):
            return False
        return bool(await open_invitations(self._database, self._clock.now_ms(), person_id))

    async def _hand_out(self, by: str, person: Person | None, kind: InvitationKind) -> Card:
        """One card; those that the person had before are void."""
        writes = Writes()
        if person is not None:
            revoke_invitations_of(writes, person.id)
        card = self._new_card(writes, by, person, kind)
        await asyncio.shield(self._database.submit(writes))
        return card

    def _new_card(
        self, writes: Writes, officer: str, person: Person | None, kind: InvitationKind = InvitationKind.COME_IN
    ) -> Card:
        token, code, now = new_token(), new_code(), self._clock.now_ms()
        valid_ms = _VALID_MS if kind is InvitationKind.COME_IN else _PHONE_MS
        invitation = Invitation(
            new_id(), None if person is None else person.id, officer, now, now + valid_ms, InvitationState.OPEN, kind
        )
        add_invitation(writes, invitation, hash_token(token), hash_code(code, self._settings.pepper))
        return Card(person, f"{self._settings.public_url}/i/{token}", code)

    # ---- coming in -------------------------------------------------------------------------------------------------

    async def look_at(self, secret: str, caller: str) -> tuple[Invitation, Person | None]:
        """The invitation of a token or code, and whom it is for, without using it.

        ``caller`` is the address that asks. Raises ``NotFound`` for a wrong, used, void or old one, all alike, and
        ``LimitExceeded`` after too many wrong ones.
        """
        self._attempts.check(caller)
        code = read_code(secret)
        code_hash = hash_code(code, self._settings.pepper) if code is not None else b""
        invitation = await find_invitation(self._database, hash_token(secret), code_hash)
        if invitation is None or not self._is_open(invitation):
            self._attempts.fail(caller)
            raise NotFound("この招待は使えません。番号をたしかめるか、役員に新しい招待カードをもらってください")
        person = None
        if invitation.person_id is not None:
            person = self._members.person(invitation.person_id)
        return invitation, person

    async def redeem(
        self, secret: str, caller: str, *, newcomer: Newcomer | None = None, password: str | None = None,
        beside: Person | None = None,
    ) -> Welcome:
        """Come in by a token or a code, once. ``password`` is only for those who want one for a Matrix client;
        ``beside`` is whose telephone it is where a family shares one.

        No device is made: a browser needs none, and a client makes its own when it logs in. Raises what ``look_at``
        raises, ``Forbidden`` beside somebody of another household, ``InvalidParam`` where a free invitation comes
        without ``newcomer``, and what ``Accounts.create_user`` raises.
        """
        invitation, person = await self.look_at(secret, caller)
        _require_family(invitation, person, beside)
        if invitation.id in self._in_use:
            raise Refused("この招待は、いま使われているところです", status=409)
        self._in_use.add(invitation.id)
        try:
            person = person or await self._enter_newcomer(newcomer)
            is_new = person.user_id is None
            user_id = person.user_id or await self._make_account(invitation, person, password)
            if not is_new:
                for listener in self._when_back:
                    await listener(person, invitation.kind)
                if password is not None:
                    await self._accounts.set_password(user_id, password, log_out=False)
                await self._spend(invitation)
        finally:
            self._in_use.discard(invitation.id)
        return Welcome(user_id, person.id, is_new)

    def _is_open(self, invitation: Invitation) -> bool:
        if invitation.person_id is not None and not self._members.register.has_person(invitation.person_id):
            return False
        return invitation.state is InvitationState.OPEN and invitation.expires_ts > self._clock.now_ms()

    async def _make_account(self, invitation: Invitation, person: Person, password: str | None) -> str:
        """Account, attachment and used-up invitation in one commit; the rooms follow before this answers."""
        changes: list[RosterChange] = []

        def also(user_id: str, writes: Writes) -> None:
            edit = Edit(self._members.register, writes)
            self._accounts.profiles.begin(user_id, person.name, writes)
            use_invitation(writes, invitation.id)
            edit.account(person.id, user_id)
            changes.append(edit.seal())

        user_id = await self._new_user(password, also)
        await self._editor.tell(changes[-1])
        return user_id

    async def _new_user(self, password: str | None, also: Callable[[str, Writes], None]) -> str:
        for _ in range(_TRIES):
            try:
                return await self._accounts.users.create(new_localpart(), password, also=also)
            except Refused as refusal:
                if refusal.code != "M_USER_IN_USE":
                    raise
        return await self._accounts.users.create(None, password, also=also)

    async def _spend(self, invitation: Invitation) -> None:
        writes = Writes()
        use_invitation(writes, invitation.id)
        await asyncio.shield(self._database.submit(writes))

    async def _enter_newcomer(self, newcomer: Newcomer | None) -> Person:
        if newcomer is None:
            raise InvalidParam("お名前と班を入れてください")
        return await self._newcomers.enter(newcomer)


def _require_family(invitation: Invitation, person: Person | None, beside: Person | None) -> None:
    if beside is not None and (person is None or person.household_id != beside.household_id):
        raise Forbidden("おなじ家の人だけを、この電話にくわえられます")
    if beside is None and invitation.kind is InvitationKind.FAMILY:
        raise Forbidden("この番号は、おなじ家の人の電話で使います")
