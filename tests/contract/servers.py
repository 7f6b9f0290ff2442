"""``docs/conformance-federation.md``: which endpoints other servers find here, and what the tests know of each.

Written together with ``docs/conformance.md``, from the same run: an exchange counts whoever the other server was, a
stranger of the tests, a second node, or Synapse.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.contract.specification import DATA, Operation, server_operations

TABLE: Final = DATA / "conformance-servers.tsv"
ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = ROOT / "docs" / "conformance-federation.md"
TIERS: Final = {
    "T1": "Without these no server takes part in a room", "T2": "What servers use every day",
    "T3": "What some servers use", "T4": "Identity servers and policy servers",
}  # fmt: skip
NOT_OFFERED: Final = {
    "onBindThirdPartyIdentifier": "no identity server is trusted, so nobody can be invited by a mail address",
    "exchangeThirdPartyInvite": "no identity server is trusted, so there are no third-party invitations to exchange",
    "askPolicyServerToSign": "this is a door of policy servers; a node is none",
}
# What goes to nobody but whoever asks for it: there is nothing to refuse.
OPEN: Final = frozenset({"getVersion", "getServerKey", "getWellKnown"})
# Which module asks other servers for it.
ASKED_BY: Final = {
    "getWellKnown": "federation/identity/discovery.py", "getServerKey": "federation/identity/key_ring.py",
    "perspectivesKeyQuery": "federation/identity/key_ring.py",
    "backfillRoom": "federation/outbound/peers.py", "getEvent": "federation/outbound/peers.py",
    "getEventAuth": "federation/outbound/peers.py", "getMissingPreviousEvents": "federation/outbound/peers.py",
    "getRoomState": "federation/outbound/peers.py", "getRoomStateIds": "federation/outbound/peers.py",
    "makeJoin": "federation/outbound/far_rooms.py", "makeLeave": "federation/outbound/far_rooms.py",
    "makeKnock": "federation/outbound/far_rooms.py", "sendJoinV2": "federation/outbound/far_rooms.py",
    "sendLeaveV2": "federation/outbound/far_rooms.py", "sendKnock": "federation/outbound/far_rooms.py",
    "sendInviteV2": "federation/outbound/far_rooms.py", "sendTransaction": "federation/outbound/delivery.py",
    "queryRoomDirectory": "federation/outbound/questions.py", "queryProfile": "federation/outbound/questions.py",
    "getSpaceHierarchy": "federation/outbound/questions.py", "queryPublicRooms": "federation/outbound/questions.py",
    "getEventByTimestamp": "federation/outbound/far_moments.py", "getContent": "federation/outbound/far_media.py",
    "getUserDevices": "federation/outbound/far_devices.py",
    "claimUserEncryptionKeys": "federation/outbound/far_keys.py",
    "queryUserEncryptionKeys": "federation/outbound/far_keys.py",
}  # fmt: skip
_MOST_FILES: Final = 3

_INTRODUCTION: Final = """# The server-server API: what is here

Written by `make conformance` from a run of all tests; not by hand. *Successes* and *refusals* are numbers of tests in
which the endpoint has answered so, to a stranger of the tests, a second node or a real Synapse; the files are those
with most of them. *Asked by us* is the module that asks other servers for the same.
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many tests have seen an endpoint succeed and refuse, and the files with most of these."""

    successes: int = 0
    refusals: int = 0
    files: tuple[str, ...] = ()


def tried() -> dict[str, Tried]:
    """The committed table, by route."""
    found = {}
    for line in TABLE.read_text("utf-8").splitlines()[1:]:
        route, successes, refusals, files = line.split("\t")
        found[route] = Tried(int(successes), int(refusals), tuple(files.split()))
    return found


def count(folder: Path) -> dict[str, Tried]:
    """What a run of the tests has written to ``folder`` (``record.py``)."""
    routes = {row.route for row in server_operations()}
    lines = {line for file in folder.glob("tried-*.tsv") for line in file.read_text("utf-8").splitlines()}
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    files: dict[str, Counter[str]] = defaultdict(Counter)
    for route, outcome, test in (line.split("\t") for line in lines):
        if route in routes:
            outcomes[route][outcome] += 1
            files[route][test.partition("::")[0]] += 1
    return {route: Tried(found["success"], found["refusal"], _most(files[route])) for route, found in outcomes.items()}


def _most(files: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(files, key=lambda file: (-files[file], file))[:_MOST_FILES])


def write_table(found: Mapping[str, Tried]) -> None:
    """Commit ``found`` to the table."""
    rows = [f"{route}\t{row.successes}\t{row.refusals}\t{' '.join(row.files)}" for route, row in sorted(found.items())]
    TABLE.write_text("\n".join(["route\tsuccesses\trefusals\tfiles", *rows]) + "\n", "utf-8")


def state(operation: Operation, found: Tried) -> str:
    """In words."""
    if operation.name in NOT_OFFERED:
        return "not offered"
    if found.successes and found.refusals:
        return "tested"
    if found.successes:
        return "tested, never refuses"
    # A question of a kind that nobody has described yet can only be refused.
    return "tested, always refuses" if found.refusals and operation.name == "queryInfo" else "missing"


def page() -> str:
    """The whole page."""
    found = tried()
    parts = [_INTRODUCTION]
    for tier, title in TIERS.items():
        rows = [row for row in server_operations() if row.tier == tier]
        parts.append(f"## {title} ({tier})\n\n" + _rows(rows, found))
    reasons = "".join(f"- `{name}`: {reason}.\n" for name, reason in sorted(NOT_OFFERED.items()))
    parts.append(f"## Not offered\n\n{reasons}")
    return "\n".join(parts)


def _rows(operations: Iterable[Operation], found: Mapping[str, Tried]) -> str:
    lines = ["| endpoint | state | successes | refusals | tests | asked by us |", "|---|---|---|---|---|---|"]
    for row in operations:
        seen = found.get(row.route, Tried())
        files = ", ".join(f"`{file.removeprefix('tests/')}`" for file in seen.files)
        asked = f"`{ASKED_BY[row.name]}`" if row.name in ASKED_BY else "–"
        lines.append(f"| `{row.route}` | {state(row, seen)} | {seen.successes} | {seen.refusals} | {files} | {asked} |")
    return "\n".join(lines) + "\n"
