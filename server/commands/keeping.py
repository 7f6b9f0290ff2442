"""Keeping a node: its key, backups, export, moving house, looking after it."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any, Final

from server.commands.adding import add_command, add_group, call, settings_of

_KEEPING: Final = "server.operation.commands"


def add_to(commands: Any) -> None:
    """Add them."""
    key = add_group(commands, "key", "the signing key: rotate")
    add_command(key, "rotate", "sign with a fresh key; only while the node is stopped", _rotate_key)
    _add_backups(commands)
    purpose = "write everything in open formats, to read or to move elsewhere"
    export = add_command(commands, "export", purpose, _give_out)
    export.add_argument("target", type=Path, metavar="DIR", help="a folder that is not there yet; with --person a file")
    export.add_argument("--person", default="", metavar="NAME", help="only what is known of one account or person")
    purpose = "make a node from an export, in an empty folder"
    take_in = add_command(commands, "import", purpose, _take_over, config=False)
    take_in.add_argument("source", type=Path, metavar="EXPORT")
    take_in.add_argument("folder", type=Path, metavar="DIR", help="where the node lives from now on")
    database = add_group(commands, "database", "the database: move")
    add_command(database, "move", "from SQLite to an empty PostgreSQL database, whose address is asked for", _move)
    add_command(commands, "check", "look whether the data is sound; the node may run", _check)
    add_command(commands, "doctor", "look what is wrong around the node, and what to do about it", _examine)
    add_command(commands, "daily", "check and back up, and tell the officers if that fails; for a timer", _daily)


def _add_backups(commands: Any) -> None:
    backup = add_command(commands, "backup", "put everything into one file; the node may run", _back_up)
    backup.add_argument("--folder", type=Path, metavar="DIR", help="where to; default: [backup] folder, and its copies")
    add_command(commands, "backup-key", "make the keys of sealed backups", _make_backup_key, config=False)
    purpose = "make a node from a backup, in an empty folder"
    restore = add_command(commands, "restore", purpose, _put_back, config=False)
    restore.add_argument("file", metavar="BACKUP", help="a file; or sftp://… or s3://… of a file, or of its folder")
    restore.add_argument("folder", type=Path, metavar="DIR", help="where the node lives from now on")
    restore.add_argument("--key-file", type=Path, metavar="FILE", help="a file with the secret key")
    there = add_command(commands, "backups", "list the backups at a place far away", _list_backups, config=False)
    there.add_argument("place", metavar="ADDRESS", help="sftp://user@host/folder or s3://key-id@host/bucket/folder")
    for parser in (restore, there):
        parser.add_argument("--ssh-key-file", type=Path, metavar="FILE", help="for sftp: the private key")
        parser.add_argument("--known-hosts-file", type=Path, metavar="FILE", help="for sftp: the servers' keys")
        parser.add_argument("--secrets-file", type=Path, metavar="FILE", help="machine HOST login USER password SECRET")
        parser.add_argument("--region", default="", metavar="WORD", help="for s3, where the storage has several")


def _rotate_key(options: argparse.Namespace) -> int:
    return call("server.assembly.key_rotation:rotate", settings_of(options))


def _back_up(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:back_up", settings_of(options), options.config.absolute(), options.folder)


def _make_backup_key(_options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:make_backup_key")


def _put_back(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:put_back", options.file, options.folder, options.key_file, _means(options))


def _list_backups(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:list_backups", options.place, _means(options))


def _means(options: argparse.Namespace) -> Any:
    """How to get at a place far away; from arguments, since the settings may be lost with the machine."""
    return importlib.import_module("server.operation.far_places").Means(
        options.ssh_key_file, options.known_hosts_file, options.secrets_file, options.region
    )


def _give_out(options: argparse.Namespace) -> int:
    return call(
        f"{_KEEPING}:give_out", settings_of(options), options.config.absolute(), options.target, options.person)


def _take_over(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:take_over", options.source, options.folder)


def _move(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:move", settings_of(options))


def _check(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:check", settings_of(options))


def _examine(options: argparse.Namespace) -> int:
    return call(f"{_KEEPING}:examine_all", settings_of(options))


def _daily(options: argparse.Namespace) -> int:
    return call("server.assembly.daily_work:daily", settings_of(options), options.config.absolute())
