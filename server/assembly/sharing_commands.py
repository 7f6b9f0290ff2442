"""What an operator does about sharing with neighbours, by the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from federation.sharing.model import OUR_WORDS, Opened, Share, Subject, Terms
from server.assembly.node import Node
from server.foundation.errors import InvalidParam, NotFound

if TYPE_CHECKING:
    from server.assembly.sharing import Sharing

Lines = list[str]
Said = Mapping[str, Any]


async def share_offer(node: Node, said: Said) -> Lines:
    """A code for the neighbour ``name``: ``subjects``, and the names of the ``facilities`` that are opened."""
    sharing, me = await _sharing(node)
    terms = _terms(sharing, said)
    card = await sharing.offers.offer(me, said["name"], terms, said["days"])
    return [card.text, *terms.in_words(), *OUR_WORDS]


async def share_show(node: Node, said: Said) -> Lines:
    """What ``code`` offers; nothing is agreed by looking."""
    sharing, me = await _sharing(node)
    return (await sharing.joining.summary(me, said["code"])).in_words()


async def share_accept(node: Node, said: Said) -> Lines:
    """Agree to what ``code`` offers, or to some ``subjects`` of it, and open ``facilities``."""
    sharing, me = await _sharing(node)
    offered = (await sharing.joining.summary(me, said["code"])).terms.subjects
    chosen = said["subjects"] or [item.value for item in offered]
    terms = _terms(sharing, {**said, "subjects": chosen})
    return [_in_a_line(await sharing.joining.agree(me, said["code"], terms))]


async def share_list(node: Node, said: Said) -> Lines:
    """With whom is shared, ended ones too."""
    sharing, _ = await _sharing(node)
    return [_in_a_line(share) for share in sharing.book.shares()]


async def share_end(node: Node, said: Said) -> Lines:
    """End at once what is shared with ``server``."""
    sharing, me = await _sharing(node)
    share = sharing.book.with_server(said["server"])
    if share is None:
        raise NotFound("その相手とは 分け合っていません")
    return [_in_a_line(await sharing.halves.end(me, share.room_id, said["reason"]))]


COMMANDS: Final[Mapping[str, Callable[[Node, Said], Awaitable[Lines]]]] = {
    "share_offer": share_offer, "share_show": share_show, "share_accept": share_accept, "share_list": share_list,
    "share_end": share_end,
}


async def _sharing(node: Node) -> tuple[Sharing, str]:
    return (await node.core.late.wide_area.open()).sharing, node.association.members.node_user_id


def _terms(sharing: Sharing, said: Said) -> Terms:
    known = {item.name: item for item in sharing.facilities.choosable()}
    missing = [name for name in said["facilities"] if name not in known]
    if missing:
        raise InvalidParam(f"「{missing[0]}」はありません。選べるのは：{'、'.join(known) or 'ありません'}")
    opened: Iterable[Opened] = (known[name] for name in said["facilities"])
    return Terms(frozenset(_subject(word) for word in said["subjects"]), tuple(opened))


def _subject(said: str) -> Subject:
    for item in Subject:
        if said in (item.value, item.label):
            return item
    raise InvalidParam(f"「{said}」はありません。選べるのは：{'、'.join(item.label for item in Subject)}")


def _in_a_line(share: Share) -> str:
    subjects = "、".join(item.label for item in Subject if share.shares(item))
    return f"{share.name} {share.server} {share.state.label}：{subjects}"
