"""Calls by way of the relay, with what the node gives its people for that."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Final, NamedTuple

from tests.deploy.booted import BOX, Booted

SECRET: Final = "a-secret-of-the-relay-and-the-node"
PASSWORD: Final = "correct-horse-battery"
_SITE: Final = "https://sakura.example/_matrix/client/v3"


class Credentials(NamedTuple):
    """With what somebody comes to the relay."""

    username: str
    password: str

    def expired(self) -> Credentials:
        """Those of yesterday."""
        return self._replace(username=f"{int(time.time()) - 86_400}:{self.username.partition(':')[2]}")

    def made_up(self) -> Credentials:
        """Those of somebody else."""
        return self._replace(username=f"{self.username.partition(':')[0]}:@mallory:sakura.example")


def credentials(booted: Booted) -> Credentials:
    """What the node gives @taro, who comes from the street."""
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "taro"}, "password": PASSWORD}
    token = _ask(booted, "/login", "--data", json.dumps(login))["access_token"]
    given = _ask(booted, "/voip/turnServer", "--header", f"Authorization: Bearer {token}")
    assert given["uris"] == ["turn:sakura.example:3478?transport=udp", "turn:sakura.example:3478?transport=tcp"]
    return Credentials(given["username"], given["password"])


def _ask(booted: Booted, path: str, *more: str) -> Any:
    return json.loads(booted.outside("curl", "--silent", "--show-error", "--fail", *more, f"{_SITE}{path}"))


def lost_on_the_way(booted: Booted, given: Credentials) -> int:
    """Let two telephones talk by way of the relay; answers how many packets did not arrive."""
    said = _client(booted, given, "-y")
    [lost] = re.findall(r"Total lost packets (\d+)", said)
    assert "tot_send_msgs=10, tot_recv_msgs=10" in said, said
    return int(lost)


def refusal(booted: Booted, given: Credentials, to: str = "") -> str:
    """What the relay says against it."""
    return _client(booted, given, *(("-e", to) if to else ("-y",)))


def _client(booted: Booted, given: Credentials, *how: str) -> str:
    command = ("turnutils_uclient", *how, "-c", "-n", "5", "-m", "1", "-u", given.username, "-w", given.password, BOX)
    return booted.outside("sh", "-c", '"$@" 2>&1 || true', "sh", *command)
