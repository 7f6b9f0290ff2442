"""The commands of ``kairan``: read the arguments and hand over.

What a command needs is imported when the command is known, by name (``_module``): ``kairan check-config`` must not pay
for the web server and the database. All messages are for the one who operates a node.
"""

from __future__ import annotations

import argparse
import gc
import getpass
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server.config import Settings, load_settings, parse_settings, render_default
from server.foundation.errors import Refused
from server.foundation.settings import SettingsError
from server.foundation.signatures import SigningKey
from server.lean_start import is_compiled
from server.wide_area_commands import WideAreaCommands

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status: 0 done, 1 refused, 2 not understood."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    os.umask(0o077)  # whatever a command writes is about people: the database, files, exports
    try:
        return command(options)
    except SettingsError as refusal:
        return _refuse(*refusal.problems)
    except Refused as refusal:
        return _refuse(refusal.reason)


def _refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _settings(options: argparse.Namespace) -> Settings:
    return load_settings(options.config)


# ---- a new node ----------------------------------------------------------------------------------------------------


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.folder.absolute()
    toml = render_default(options.server_name, options.name)
    settings = parse_settings(toml, folder)
    file = folder / "kairan.toml"
    if file.exists() or settings.signing_key_file.exists():
        return _refuse(f"{folder} holds a node already; nothing was changed.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write_private(settings.signing_key_file, SigningKey.generate().line())
        _write_private(file, toml)
        _module("server.assembly").prepare_database(settings)
    except BaseException:
        for written in (file, settings.signing_key_file):
            written.unlink(missing_ok=True)
        raise
    _compile_without_docstrings()
    print(f"A node for {settings.association.name} ({settings.server_name}) is ready in {folder}.")
    print(f"Start it with: kairan run --config {file}")
    return 0


def _write_private(file: Path, content: str) -> None:
    """Write a new file that only its owner may read; never over an old one."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _compile_without_docstrings() -> None:
    """Make the second set of compiled files, once for an installation. Where Python may not write, nothing is lost."""
    if not is_compiled():
        may_write = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-P", "-OO", "-c", "import server.commands, server.assembly"]
        subprocess.run(command, check=False, timeout=120, stderr=subprocess.DEVNULL, env=may_write)


# ---- running it ----------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    gc.collect()  # the parser of the command line is one large circle, and would be kept for ever below
    gc.disable()  # importing makes no garbage, and looking for it takes a fifth of the start
    assembly = _module("server.assembly")
    gc.freeze()
    gc.enable()
    status: int = assembly.run(settings)
    return status


def _check_config(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if settings.application_service_files:
        _module("server.application_services.registration_files").read_registrations(
            settings.application_service_files
        )
    print(f"{options.config} is right: {settings.association.name}, {settings.server_name}, {settings.http.public_url}")
    return 0


# ---- people --------------------------------------------------------------------------------------------------------


def _invite(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.people").invite(
        _settings(options), name=options.name, block=options.block, role=options.role
    )
    return status


def _add_user(options: argparse.Namespace) -> int:
    settings, password = _settings(options), _new_password()
    people = _module("server.assembly.people")
    status: int = people.add_user(settings, options.localpart, password, is_admin=options.admin)
    return status


def _list_users(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.people").list_users(_settings(options))
    return status


def _deactivate_user(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.people").deactivate_user(_settings(options), options.localpart)
    return status


def _erase_user(options: argparse.Namespace) -> int:
    if not options.yes:
        raise Refused(
            f"This removes everything about {options.localpart} and cannot be undone. Give them what is known of them "
            f"first (kairan export --person {options.localpart} FILE). Then say it again with --yes."
        )
    status: int = _module("server.assembly.people").erase_user(_settings(options), options.localpart)
    return status


def _hold_user(options: argparse.Namespace) -> int:
    people, settings = _module("server.assembly.people"), _settings(options)
    status: int = people.hold_user(settings, options.localpart, options.how, on=not options.off)
    return status


def _make_token(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.people").make_token(
        _settings(options), uses=options.uses, days=options.days
    )
    return status


def _change_password(options: argparse.Namespace) -> int:
    settings, password = _settings(options), _new_password()
    status: int = _module("server.assembly.people").change_password(settings, options.localpart, password)
    return status


def _notice(options: argparse.Namespace) -> int:
    text = sys.stdin.read() if options.text == "-" else options.text
    status: int = _module("server.assembly.people").notice(_settings(options), localpart=options.to, text=text.strip())
    return status


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


def _rotate_key(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.key_rotation").rotate(_settings(options))
    return status


# ---- others --------------------------------------------------------------------------------------------------------


def _ask_wide_area(options: argparse.Namespace) -> int:
    """Hand a command of links and broadcasts to the node; what is to be read from a file is read here."""
    said = {name: getattr(options, name) for name in options.said}
    if "file" in said:
        said["text"] = said.pop("file").read_text("utf-8-sig")
    if said.get("text") == "-":
        said["text"] = sys.stdin.read().strip()
    status: int = _module("server.assembly.people").perform(_settings(options), options.what, said)
    return status


# ---- keeping it ----------------------------------------------------------------------------------------------------


def _back_up(options: argparse.Namespace) -> int:
    status: int = _keeping().back_up(_settings(options), options.config.absolute(), options.folder)
    return status


def _make_backup_key(_options: argparse.Namespace) -> int:
    status: int = _keeping().make_backup_key()
    return status


def _put_back(options: argparse.Namespace) -> int:
    status: int = _keeping().put_back(options.file, options.folder, options.key_file, _means(options))
    return status


def _list_backups(options: argparse.Namespace) -> int:
    status: int = _keeping().list_backups(options.place, _means(options))
    return status


def _means(options: argparse.Namespace) -> Any:
    """How to get at a place far away; from arguments, since the settings may be lost with the machine."""
    return _module("server.operation.far_places").Means(
        options.ssh_key_file, options.known_hosts_file, options.secrets_file, options.region
    )


def _check(options: argparse.Namespace) -> int:
    status: int = _keeping().check(_settings(options))
    return status


def _examine(options: argparse.Namespace) -> int:
    status: int = _keeping().examine_all(_settings(options))
    return status


def _daily(options: argparse.Namespace) -> int:
    status: int = _module("server.assembly.upkeep").daily(_settings(options), options.config.absolute())
    return status


def _give_out(options: argparse.Namespace) -> int:
    status: int = _keeping().give_out(_settings(options), options.config.absolute(), options.target, options.person)
    return status


def _take_over(options: argparse.Namespace) -> int:
    status: int = _keeping().take_over(options.source, options.folder)
    return status


def _move(options: argparse.Namespace) -> int:
    status: int = _keeping().move(_settings(options))
    return status


def _keeping() -> Any:
    return _module("server.operation.commands")


# ---- trying it -----------------------------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    status: int = _module("server.demo").run_demo(
        replay=options.replay, users=options.users, as_json=options.json, port=options.port
    )
    return status


def _judge(_options: argparse.Namespace) -> int:
    """Questions from standard input, one JSON object a line; as many answers to standard output."""
    answer = _module("server.rooms.judge").answer
    for line in sys.stdin.buffer:
        if line.strip():
            print(json.dumps(_judged(answer, line), ensure_ascii=False), flush=True)
    return 0


def _judged(answer: Callable[[dict[str, Any]], dict[str, Any]], line: bytes) -> dict[str, Any]:
    """One answer; a question that is none gets ``error`` instead of a verdict, and the next one its turn."""
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "This line is not JSON"}
    if not isinstance(question, dict):
        return {"error": "A question is a JSON object"}
    try:
        return answer(question)
    except Refused as refusal:
        return {"id": question.get("id"), "error": refusal.reason}


# ---- the arguments -------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kairan", description="回覧: the node of one neighbourhood association")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    init = _command(commands, "init", "make a new node: settings, signing key, database", _init, config=False)
    init.add_argument("folder", type=Path, metavar="DIR", help="where it lives; made if it does not exist")
    init.add_argument("--server-name", required=True, help="the name after the colon in its addresses, for ever")
    init.add_argument("--name", required=True, help="what the association is called, e.g. 桜町町内会")

    _command(commands, "run", "run the node until it is told to stop", _run)
    _command(commands, "check-config", "look for mistakes in the settings", _check_config)

    invite = _command(commands, "invite", "make an invitation: a link and a short code", _invite)
    invite.add_argument("--name", default="", help="whom it is for")
    invite.add_argument("--block", default="", help="their block (班)")
    invite.add_argument("--role", default="", help="their role, for an officer, e.g. 会長")

    _add_user_commands(commands)

    notice = _command(commands, "notice", "tell everybody what they must know, in any Matrix client", _notice)
    notice.add_argument("text", metavar="TEXT", help="what they must know; - reads it from standard input")
    notice.add_argument("--to", default="", metavar="NAME", help="tell only one account")

    key = commands.add_parser("key", help="the signing key: rotate")
    turn = key.add_subparsers(title="what to do", required=True, metavar="ACTION")
    _command(turn, "rotate", "sign with a fresh key; only while the node is stopped", _rotate_key)

    _add_keeping_commands(commands)
    WideAreaCommands(_command, _ask_wide_area).add_to(commands)

    demo = _command(commands, "demo", "try a node with made-up people on this machine", _demo, config=False)
    demo.add_argument("--replay", choices=["noto"], help="replay a safety check with real Matrix clients")
    demo.add_argument("--users", type=int, help="how many people take part in the replay")
    demo.add_argument("--json", action="store_true", help="print the result as one JSON object")
    demo.add_argument("--port", type=int, default=8008, metavar="N", help="the first port to try (0: any)")

    _command(commands, "judge", "answer questions about room rules, one JSON object a line", _judge, config=False)
    return parser


def _add_keeping_commands(commands: Any) -> None:
    backup = _command(commands, "backup", "put everything into one file; the node may run", _back_up)
    backup.add_argument("--folder", type=Path, metavar="DIR", help="where to; default: [backup] folder")
    _command(commands, "backup-key", "make the keys of sealed backups", _make_backup_key, config=False)
    restore = _command(commands, "restore", "make a node from a backup, in an empty folder", _put_back, config=False)
    restore.add_argument("file", metavar="BACKUP", help="a file; or sftp://… or s3://… of a file, or of its folder")
    restore.add_argument("folder", type=Path, metavar="DIR", help="where the node lives from now on")
    restore.add_argument("--key-file", type=Path, metavar="FILE", help="a file with the secret key")
    there = _command(commands, "backups", "list the backups at a place far away", _list_backups, config=False)
    there.add_argument("place", metavar="ADDRESS", help="sftp://user@host/folder or s3://key-id@host/bucket/folder")
    for parser in (restore, there):
        parser.add_argument("--ssh-key-file", type=Path, metavar="FILE", help="for sftp: the private key")
        parser.add_argument("--known-hosts-file", type=Path, metavar="FILE", help="for sftp: the servers' keys")
        parser.add_argument("--secrets-file", type=Path, metavar="FILE", help="machine HOST login USER password SECRET")
        parser.add_argument("--region", default="", metavar="WORD", help="for s3, where the storage has several")
    export = _command(commands, "export", "write everything in open formats, to read or to move elsewhere", _give_out)
    export.add_argument("target", type=Path, metavar="DIR", help="a folder that is not there yet")
    export.add_argument("--person", default="", metavar="NAME", help="only what is known of one account, into a file")
    take_in = _command(commands, "import", "make a node from an export, in an empty folder", _take_over, config=False)
    take_in.add_argument("source", type=Path, metavar="EXPORT")
    take_in.add_argument("folder", type=Path, metavar="DIR", help="where the node lives from now on")
    database = commands.add_parser("database", help="the database: move").add_subparsers(
        title="what to do", required=True, metavar="ACTION"
    )
    _command(database, "move", "from SQLite to an empty PostgreSQL database, whose address is asked for", _move)
    _command(commands, "check", "look whether the data is sound; the node may run", _check)
    _command(commands, "doctor", "look what is wrong around the node, and what to do about it", _examine)
    _command(commands, "daily", "check and back up, and tell the officers if that fails; for a timer", _daily)


def _add_user_commands(commands: Any) -> None:
    user = commands.add_parser("user", help="accounts: add, list, deactivate, erase, lock, suspend, token, password")
    actions = user.add_subparsers(title="what to do", required=True, metavar="ACTION")
    add = _command(actions, "add", "make an account; the password is asked for or read from standard input", _add_user)
    add.add_argument("localpart", metavar="NAME", help="the part before the colon of the address")
    add.add_argument("--admin", action="store_true", help="may use the administration interfaces")
    _command(actions, "list", "list the accounts", _list_users)
    deactivate = _command(actions, "deactivate", "close an account for ever", _deactivate_user)
    deactivate.add_argument("localpart", metavar="NAME")
    erase = _command(actions, "erase", "remove everything about somebody; what they said stays, nameless", _erase_user)
    erase.add_argument("localpart", metavar="NAME")
    erase.add_argument("--yes", action="store_true", help="I am sure")
    for name, how, purpose in (
        ("lock", "locked", "turn an account's devices away until it is unlocked"),
        ("suspend", "suspended", "let an account read and leave, but not write or join"),
    ):
        hold = _command(actions, name, purpose, _hold_user)
        hold.set_defaults(how=how)
        hold.add_argument("localpart", metavar="NAME")
        hold.add_argument("--off", action="store_true", help="take it back")
    token = _command(actions, "token", "make a registration token for a Matrix client to sign up with", _make_token)
    token.add_argument("--uses", type=int, default=1, metavar="N", help="how many accounts it is good for (default: 1)")
    token.add_argument("--days", type=int, default=14, metavar="N", help="for how many days (default: 14)")
    password = _command(actions, "password", "set a new password and log all devices out", _change_password)
    password.add_argument("localpart", metavar="NAME")


def _command(
    commands: Any, name: str, purpose: str, command: Command, *, config: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(command=command)
    if config:
        default = Path("kairan.toml")
        parser.add_argument("--config", type=Path, default=default, metavar="FILE", help=f"default: {default}")
    return parser
