"""Commands between nodes: links with the city, sharing with neighbours, broadcasts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.commands.adding import add_command, add_group, call, settings_of


def add_to(commands: Any) -> None:
    """Add ``link``, ``share``, ``broadcast``, ``figures`` and ``verify``."""
    _add_links(commands)
    _add_shares(commands)
    _add_broadcasts(commands)


def _add_links(commands: Any) -> None:
    action = _actions_of(add_group(commands, "link", "links with the city and others: invite, show, accept, list, end"))
    invite = action(
        "invite", "link_invite", "make an invitation code", "name", "kind", "areas", "categories", "days"
    )
    invite.add_argument("--name", required=True, help="whom it is for, e.g. 桜町町内会")
    invite.add_argument("--kind", default="association", help="association or federation")
    invite.add_argument("--area", dest="areas", action="append", required=True, metavar="CODE=NAME",
                        help="their area, e.g. 17201/mori/sakura=桜町; may be given again")
    invite.add_argument("--days", type=int, default=90, metavar="N", help="how long it is good (default: 90)")
    many = action("invite-list", "link_invite_list", "make a code for each line of a CSV file", "file", "days")
    many.add_argument("file", type=Path, metavar="FILE", help="with the columns 名前, 種類, 地域, 地域の名前, 分野")
    many.add_argument("--days", type=int, default=90, metavar="N", help="how long they are good (default: 90)")
    action("show", "link_show", "show what a code offers; nothing is agreed yet", "code").add_argument("code")
    accept = action("accept", "link_accept", "agree to what a code offers", "code", "categories")
    accept.add_argument("code")
    for parser in (invite, accept):
        parser.add_argument("--category", dest="categories", action="append", default=[], metavar="WORD",
                            help="only these categories, e.g. 防災; may be given again")
    action("list", "link_list", "list the links")
    end = action("end", "link_end", "end the link with a server", "server", "reason")
    end.add_argument("server")
    end.add_argument("--reason", default="", help="the other side reads it")
    action("refusals", "link_refusals", "list what was refused of other servers")


def _add_shares(commands: Any) -> None:
    purpose = "sharing with neighbour associations: offer, show, accept, list, end"
    action = _actions_of(add_group(commands, "share", purpose))
    offer = action("offer", "share_offer", "make a code for a neighbour", "name", "subjects", "facilities", "days")
    offer.add_argument("--name", required=True, help="whom it is for, e.g. 梅町町内会")
    offer.add_argument("--days", type=int, default=14, metavar="N", help="how long it is good (default: 14)")
    action("show", "share_show", "show what a code offers; nothing is agreed yet", "code").add_argument("code")
    accept = action("accept", "share_accept", "agree to what a code offers", "code", "subjects", "facilities")
    accept.add_argument("code")
    for parser in (offer, accept):
        parser.add_argument("--subject", dest="subjects", action="append", default=[], metavar="WORD",
                            help="calendar, facilities, hazards or board; may be given again")
        parser.add_argument("--facility", dest="facilities", action="append", default=[], metavar="NAME",
                            help="a facility that the neighbour may ask for; may be given again")
    action("list", "share_list", "list with whom is shared")
    end = action("end", "share_end", "end it with a server, at once", "server", "reason")
    end.add_argument("server")
    end.add_argument("--reason", default="", help="the other side reads it")


def _add_broadcasts(commands: Any) -> None:
    send = add_command(commands, "broadcast", "send a notice to everybody below", _ask)
    send.set_defaults(what="broadcast", said=(
        "title", "text", "areas", "category", "priority", "kind", "choices", "drill", "office", "openness"))
    send.add_argument("title", metavar="TITLE")
    send.add_argument("text", metavar="TEXT", help="- reads it from standard input")
    send.add_argument("--area", dest="areas", action="append", required=True, metavar="CODE")
    send.add_argument("--category", default="administration", metavar="WORD", help="e.g. 防災")
    send.add_argument("--priority", default="ordinary", help="ordinary, important or alert")
    send.add_argument("--kind", default="notice", help="notice, survey or safety_check")
    send.add_argument("--choice", dest="choices", action="append", default=[], metavar="WORD", help="of a survey")
    send.add_argument("--drill", action="store_true", help="the safety check is a drill")
    send.add_argument("--office", default="", help="who of the city says it, e.g. 水道課")
    send.add_argument("--public", dest="openness", action="store_const", const="yes", default="no",
                      help="everybody may read it, without an account (/feeds)")
    told = add_command(commands, "figures", "print what has come back about a broadcast, as JSON", _ask)
    told.set_defaults(what="figures", said=("key",))
    told.add_argument("key", metavar="KEY")
    verify = add_command(commands, "verify", "tell whether a circular really comes from the city", _ask)
    verify.set_defaults(what="verify", said=("item",))
    verify.add_argument("item", metavar="CIRCULAR", help="the id of a circular, a poll or a safety check")


def _actions_of(group: Any) -> Callable[..., argparse.ArgumentParser]:
    """Add an action: its name, what the node calls it (``what``), its purpose, the arguments that the node is told."""
    def action(name: str, what: str, purpose: str, *said: str) -> argparse.ArgumentParser:
        made = add_command(group, name, purpose, _ask)
        made.set_defaults(what=what, said=said)
        return made
    return action


def _ask(options: argparse.Namespace) -> int:
    """Hand what was said to the node; what is to be read from a file is read here."""
    said = {name: getattr(options, name) for name in options.said}
    if "file" in said:
        said["text"] = said.pop("file").read_text("utf-8-sig")
    if said.get("text") == "-":
        said["text"] = sys.stdin.read().strip()
    return call("server.assembly.people:perform", settings_of(options), options.what, said)
