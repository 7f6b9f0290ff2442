"""The commands of ``kairan``: read the arguments and hand over. A file here has a group of commands, each with its
arguments beside what it calls.

What a command needs is imported when the command is known, by name: ``kairan check-config`` must not pay for the web
server and the database. All messages are for the one who operates a node.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from server.commands import between_nodes, keeping, new_node, people, running, trying
from server.commands.adding import Command
from server.foundation.errors import Refused
from server.foundation.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status: 0 done, 1 refused, 2 not understood."""
    options = parser().parse_args(arguments)
    command: Command = options.command
    os.umask(0o077)  # whatever a command writes is about people: the database, files, exports
    try:
        return command(options)
    except SettingsError as refusal:
        return _refuse(*refusal.problems)
    except Refused as refusal:
        return _refuse(refusal.reason)
    except BrokenPipeError:
        return _hear_no_more()
    except OSError as fault:
        return _refuse(f"{fault.filename}: {fault.strerror}." if fault.filename and fault.strerror else f"{fault}.")
    except (KeyboardInterrupt, EOFError):
        return _refuse("", "Stopped.")


def parser() -> argparse.ArgumentParser:
    """All commands with their arguments."""
    made = argparse.ArgumentParser(prog="kairan", description="回覧: the node of one neighbourhood association")
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in (new_node, running, people, keeping, between_nodes, trying):
        group.add_to(commands)
    return made


def _hear_no_more() -> int:
    """Whoever read what we print has gone (``kairan … | head``)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1
