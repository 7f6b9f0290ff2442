"""People on a node: ``invite``, ``user``, ``notice``. A running node does it; otherwise the command itself."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any, Final

from server.commands.adding import add_command, add_group, call, settings_of
from server.foundation.errors import Refused

_PEOPLE: Final = "server.assembly.people"


def add_to(commands: Any) -> None:
    """Add them."""
    invite = add_command(commands, "invite", "make an invitation: a link and a short code", _invite)
    invite.add_argument("--name", default="", help="whom it is for")
    invite.add_argument("--block", default="", help="their block (班)")
    invite.add_argument("--role", default="", help="their role, for an officer, e.g. 会長")
    _add_user_commands(commands)
    notice = add_command(commands, "notice", "tell everybody what they must know, in any Matrix client", _notice)
    notice.add_argument("text", metavar="TEXT", help="what they must know; - reads it from standard input")
    notice.add_argument("--to", default="", metavar="NAME", help="tell only one account")


def _add_user_commands(commands: Any) -> None:
    actions = add_group(commands, "user", "accounts: add, list, deactivate, erase, lock, suspend, token, password")
    purpose = "make an account; the password is asked for or read from standard input"
    add = add_command(actions, "add", purpose, _add_user)
    add.add_argument("localpart", metavar="NAME", help="the part before the colon of the address")
    add.add_argument("--admin", action="store_true", help="may use the administration interfaces")
    add_command(actions, "list", "list the accounts", _list_users)
    deactivate = add_command(actions, "deactivate", "close an account for ever", _deactivate_user)
    deactivate.add_argument("localpart", metavar="NAME")
    purpose = "remove everything about somebody; what they said stays, nameless"
    erase = add_command(actions, "erase", purpose, _erase_user)
    erase.add_argument("localpart", metavar="NAME")
    erase.add_argument("--yes", action="store_true", help="I am sure")
    for name, how, purpose in (
        ("lock", "locked", "turn an account's devices away until it is unlocked"),
        ("suspend", "suspended", "let an account read and leave, but not write or join"),
    ):
        hold = add_command(actions, name, purpose, _hold_user)
        hold.set_defaults(how=how)
        hold.add_argument("localpart", metavar="NAME")
        hold.add_argument("--off", action="store_true", help="take it back")
    token = add_command(actions, "token", "make a registration token for a Matrix client to sign up with", _make_token)
    token.add_argument("--uses", type=int, default=1, metavar="N", help="how many accounts it is good for (default: 1)")
    token.add_argument("--days", type=int, default=14, metavar="N", help="for how many days (default: 14)")
    password = add_command(actions, "password", "set a new password and log all devices out", _change_password)
    password.add_argument("localpart", metavar="NAME")


def _invite(options: argparse.Namespace) -> int:
    named = {"name": options.name, "block": options.block, "role": options.role}
    return call(f"{_PEOPLE}:invite", settings_of(options), **named)


def _add_user(options: argparse.Namespace) -> int:
    settings, password = settings_of(options), _new_password()
    return call(f"{_PEOPLE}:add_user", settings, options.localpart, password, is_admin=options.admin)


def _list_users(options: argparse.Namespace) -> int:
    return call(f"{_PEOPLE}:list_users", settings_of(options))


def _deactivate_user(options: argparse.Namespace) -> int:
    return call(f"{_PEOPLE}:deactivate_user", settings_of(options), options.localpart)


def _erase_user(options: argparse.Namespace) -> int:
    if not options.yes:
        raise Refused(
            f"This removes everything about {options.localpart} and cannot be undone. Give them what is known of them "
            f"first (kairan export --person {options.localpart} FILE). Then say it again with --yes."
        )
    return call(f"{_PEOPLE}:erase_user", settings_of(options), options.localpart)


def _hold_user(options: argparse.Namespace) -> int:
    return call(f"{_PEOPLE}:hold_user", settings_of(options), options.localpart, options.how, on=not options.off)


def _make_token(options: argparse.Namespace) -> int:
    return call(f"{_PEOPLE}:make_token", settings_of(options), uses=options.uses, days=options.days)


def _change_password(options: argparse.Namespace) -> int:
    settings, password = settings_of(options), _new_password()
    return call(f"{_PEOPLE}:change_password", settings, options.localpart, password)


def _notice(options: argparse.Namespace) -> int:
    text = sys.stdin.read() if options.text == "-" else options.text
    return call(f"{_PEOPLE}:notice", settings_of(options), localpart=options.to, text=text.strip())


def _new_password() -> str:
    """Asked for at a terminal, else the first line of standard input; never an argument, which others could see."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass("New password: ")
        if getpass.getpass("Once more: ") != password:
            raise Refused("The two passwords differ; nothing was changed.")
    if not password:
        raise Refused("A password is needed; nothing was changed.")
    return password
