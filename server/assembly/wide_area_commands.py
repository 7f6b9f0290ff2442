"""What an operator does between nodes: links, broadcasts, and whether a circular is authentic; by the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from federation.broadcasts.model import Kind, Message, Priority
from federation.broadcasts.public import Openness
from federation.links.model import Area, Category, Link, NodeKind, Terms
from server.assembly.node import Node
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam, NotFound

if TYPE_CHECKING:
    from server.assembly.wide_area import WideArea

Lines = list[str]
Said = Mapping[str, Any]


async def link_invite(node: Node, said: Said) -> Lines:
    """An invitation code for ``name``, of ``kind``, with ``areas`` (``code=name``) and ``categories``."""
    wide, me = await _wide_area(node)
    terms = Terms(
        kind=_one_of(NodeKind, said["kind"]), name=said["name"], areas=tuple(_area(text) for text in said["areas"]),
        categories=frozenset(_one_of(Category, word) for word in said["categories"]) or frozenset(Category),
    )
    card = await wide.offers.invite(me, terms, said["days"])
    return [card.text, *terms.in_words()]


async def link_invite_list(node: Node, said: Said) -> Lines:
    """A code for each line of the list ``text``: lines of a CSV file with number, name and code."""
    wide, me = await _wide_area(node)
    cards = await wide.offers.invite_from_csv(me, said["text"], said["days"])
    return [_csv_line("番号", "名前", "招待コード"),
            *(_csv_line(card.record.number, card.record.terms.name, card.text) for card in cards)]


async def link_show(node: Node, said: Said) -> Lines:
    """What ``code`` offers; nothing is agreed by looking."""
    wide, me = await _wide_area(node)
    return (await wide.joining.summary(me, said["code"])).in_words()


async def link_accept(node: Node, said: Said) -> Lines:
    """Agree to what ``code`` offers, or to some ``categories`` of it."""
    wide, me = await _wide_area(node)
    chosen = [_one_of(Category, word) for word in said["categories"]] or None
    return [_in_a_line(await wide.joining.agree(me, said["code"], categories=chosen))]


async def link_list(node: Node, said: Said) -> Lines:
    """All links, ended ones too."""
    wide, _ = await _wide_area(node)
    return [_in_a_line(link) for link in wide.book.links()]


async def link_end(node: Node, said: Said) -> Lines:
    """End the link with ``server``."""
    wide, me = await _wide_area(node)
    link = wide.book.with_server(said["server"])
    if link is None:
        raise NotFound("その相手とはつながっていません")
    return [_in_a_line(await wide.halves.end(me, link.room_id, said["reason"]))]


async def link_refusals(node: Node, said: Said) -> Lines:
    """What was refused of other servers, the newest first."""
    wide, me = await _wide_area(node)
    return [f"{tokyo_time(item.ts):%Y-%m-%d %H:%M} {item.server} {item.what}：{item.reason}（{item.times}回）"
            for item in await wide.book.refusals(me)]


async def broadcast(node: Node, said: Said) -> Lines:
    """Send a broadcast; answers its key."""
    wide, me = await _wide_area(node)
    record = await wide.sending.send(me, Message(
        title=said["title"], text=said["text"], areas=tuple(said["areas"]),
        category=_one_of(Category, said["category"]), priority=_one_of(Priority, said["priority"]),
        kind=_one_of(Kind, said["kind"]), choices=tuple(said["choices"]), drill=said["drill"], office=said["office"],
    ), Openness(said.get("openness", "no")))
    links = [link for link, _ in await wide.sending.sends(me, record.key)]
    return [record.key, *(f"→ {link.name}（{link.server}）" for link in links)]


async def figures(node: Node, said: Said) -> Lines:
    """What has come back about the broadcast ``key``, as JSON."""
    wide, me = await _wide_area(node)
    return [orjson.dumps((await wide.figures.table(me, said["key"])).as_json(), option=orjson.OPT_INDENT_2).decode()]


async def verify(node: Node, said: Said) -> Lines:
    """Whether the circular ``item`` really comes from where it says."""
    wide, _ = await _wide_area(node)
    verdict = await wide.desk.verify(said["item"])
    if not verdict.is_from_above:
        return [verdict.reason]
    return [f"{'本物です' if verdict.is_authentic else '本物と確かめられません'}：{verdict.reason}"]


COMMANDS: Final[Mapping[str, Callable[[Node, Said], Awaitable[Lines]]]] = {
    "link_invite": link_invite, "link_invite_list": link_invite_list, "link_show": link_show,
    "link_accept": link_accept, "link_list": link_list, "link_end": link_end, "link_refusals": link_refusals,
    "broadcast": broadcast, "figures": figures, "verify": verify,
}


async def _wide_area(node: Node) -> tuple[WideArea, str]:
    return await node.core.late.wide_area.open(), node.association.members.node_user_id


def _one_of(words: Any, said: str) -> Any:
    """A value by its name or by the word that people read; raises ``InvalidParam``."""
    for word in words:
        if said in (word.value, word.label):
            return word
    raise InvalidParam(f"「{said}」はありません。選べるのは：{'、'.join(word.label for word in words)}")


def _area(text: str) -> Area:
    code, _, name = text.partition("=")
    return Area(code, name or code)


def _csv_line(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _in_a_line(link: Link) -> str:
    way = {"above": "↑", "below": "↓"}[link.direction.value]
    areas = "、".join(area.name for area in link.terms.areas[:5])
    return f"{way} {link.name}（{link.server}）{link.state.label} {areas} {link.reason}".rstrip()
