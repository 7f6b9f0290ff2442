"""The box for a hall without internet, tried for real (``make deploy-test``): nothing leads out of its network, it is
found by its name, and telephones learn of its authority from itself.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.booted import Booted, reason_not_to_boot, until
from tests.deploy.fetched import reason_to_skip, run
from tests.deploy.machine import Machine, recap
from tests.deploy.stage import stage

REASON = reason_to_skip() or reason_not_to_boot()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "never")

NAME = "sakura.local"
BOX, TELEPHONE = "192.168.7.10", "192.168.7.21"
FETCHED = ("nftables", "unattended-upgrades", "systemd-timesyncd", "avahi-daemon", "caddy", "python3-packaging",
           "python3-setuptools")
# Asks all in the house for a name, as telephones do (RFC 6762, section 5.1); answers the address.
ASK_THE_HOUSE = """
import socket, struct, sys
question = b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[1].split(".")) + b"\\0\\0\\1\\0\\1"
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
asker.settimeout(5)
asker.sendto(struct.pack("!6H", 0, 0, 1, 0, 0, 0) + question, ("224.0.0.251", 5353))
print(socket.inet_ntoa(asker.recv(1500)[-4:]))
"""


Staged = tuple[Machine, Path]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """A box, and wheels, brought to where nothing can be fetched."""
    machine = Machine(tmp_path_factory.mktemp("lan") / "box")
    wheels = stage(machine)
    machine.install("curl")
    machine.install("--download-only", *FETCHED)
    yield machine, wheels
    machine.remove()


def play(staged: Staged) -> subprocess.CompletedProcess[str]:
    """Set it up."""
    machine, wheels = staged
    return machine.play("lan.yml", "-e", f"kairan_node_server_name={NAME}", "-e", f"kairan_node_wheels={wheels}")


@pytest.fixture(scope="module")
def house(staged: Staged) -> Iterator[Booted]:
    """Where it was set up."""
    with Booted(staged[0]) as booted:
        booted.lay_cables((BOX, "fd00::10"), (TELEPHONE, "fd00::21"), leads_out=False)
        booted.name_it()
        booted.start()
        recap(play(staged))
        yield booted


def by_name(house: Booted, *command: str) -> str:
    """What somebody with a telephone gets, who knows the name by now."""
    return house.outside("curl", "--silent", "--show-error", "--resolve", f"{NAME}:443:{BOX}", "--resolve",
                         f"{NAME}:80:{BOX}", *command)


def test_it_is_found_by_its_name(house: Booted) -> None:
    until(lambda: BOX in house.outside("sh", "-c", 'python3 -c "$@" || true', "sh", ASK_THE_HOUSE, NAME, TELEPHONE),
          "the name leads to it")


def test_a_telephone_is_told_what_to_do_and_gets_the_certificate(house: Booted) -> None:
    page = by_name(house, f"http://{NAME}/")
    assert "はじめての電話" in page
    assert 'href="/ca.crt"' in page
    headers = by_name(house, "--output", "/srv/ca.crt", "--dump-header", "-", f"http://{NAME}/ca.crt")
    assert re.search(r"(?i)content-type: application/x-x509-ca-cert", headers), "or an iPhone shows it as a text"
    assert "CA:TRUE" in house.outside("openssl", "x509", "-noout", "-ext", "basicConstraints", "-in", "/srv/ca.crt")


def test_pages_answer_with_a_certificate_that_is_trusted_from_then_on(house: Booted) -> None:
    trusting = ("--cacert", "/srv/ca.crt")
    assert json.loads(by_name(house, *trusting, f"https://{NAME}/health")) == {"status": "ok"}
    assert "<html" in by_name(house, *trusting, "--location", f"https://{NAME}/")
    with pytest.raises(AssertionError, match="certificate"):
        by_name(house, f"https://{NAME}/health")


def test_it_has_no_other_servers_and_nothing_leads_out(house: Booted) -> None:
    settings = (house.machine.folder / "var/lib/kairan/kairan.toml").read_text()
    assert re.search(r"\[federation\]\nenabled = false", settings)
    assert "default" not in run("ip", "-n", house.name, "route")


def test_only_what_a_house_needs_is_open(house: Booted) -> None:
    with house.listening(5432):
        doors = house.doors(BOX, (80, 443, 3478, 5432, 8008, 18008))
    assert doors == {80: "open", 443: "open"} | dict.fromkeys((3478, 5432, 8008, 18008), "shut")


@pytest.mark.usefixtures("house")
def test_a_second_time_changes_nothing(staged: Staged) -> None:
    done = play(staged)
    assert recap(done)["changed"] == 0, done.stdout
