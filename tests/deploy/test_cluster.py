"""Associations on a machine of a city with a cluster of databases, which really boots (``make deploy-test``): one of
them is upgraded before the others, and a release that spoils its database is taken back out of the cluster.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.booted import Booted, reason_not_to_boot
from tests.deploy.fetched import reason_to_skip
from tests.deploy.machine import Machine, did, recap
from tests.deploy.stage import older, spoilt, stage

REASON = reason_to_skip() or reason_not_to_boot()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "never")

PORTS = {"sakura": 8101, "ume": 8102}
FETCHED = ("nftables", "unattended-upgrades", "systemd-timesyncd", "nginx", "openssl", "postgresql",
           "postgresql-client", "python3-packaging", "python3-setuptools")


class Cluster:
    """A machine that has the nodes, their databases and the way in."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder / "box")
        self.booted = Booted(self.machine)
        self.now = stage(self.machine)
        self.before = older(self.now, folder / "before")
        self.spoilt = spoilt(self.now, folder / "spoilt")
        self.inventory = folder / "inventory.json"

    def write_inventory(self, **more: str) -> None:
        """Both associations, of which ``ume`` may say more."""
        here = {"kairan_machine_address": "127.0.0.1", "ansible_connection": "chroot",
                "ansible_host": str(self.machine.folder)}
        associations = [
            {"instance": name, "server_name": f"{name}.city.example", "name": f"{name}町内会", "port": port,
             "machine": "one", "settings": {"passwords": {"cost": 4}}, **(more if name == "ume" else {})}
            for name, port in PORTS.items()
        ]
        self.inventory.write_text(json.dumps({"all": {
            "vars": {"kairan_associations": associations, "kairan_proxy_program": "nginx",
                     "kairan_proxy_certificates": "internal", "kairan_postgresql_memory_mb": 512},
            "children": {"kairan": {"hosts": {"one": here}}, "kairan_entry": {"hosts": {"one": {}}},
                         "kairan_database": {"hosts": {"one": {}}}},
        }}))

    def play(self, wheels: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self.machine.play("city.yml", "-e", f"kairan_node_wheels={wheels}", *more, inventory=self.inventory)

    def program(self, name: str) -> str:
        """What a unit starts."""
        unit = (self.machine.folder / f"etc/systemd/system/{name}.service").read_text()
        [program] = re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)
        return str(program)

    def tables(self, name: str) -> set[str]:
        """Those of an association's database."""
        asked = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return set(self.machine.inside("runuser", "-u", "postgres", "--", "psql", "-At", "-c", asked, name).split())

    def kairan(self, name: str, *command: str, said: str = "") -> str:
        """A command of those who look after the machine; releases of before want to be told where the settings are."""
        settings = ("--config", f"/var/lib/{name}/kairan.toml")
        return self.machine.inside(f"/usr/local/sbin/kairan-{name}", *command, *settings, said=said)

    def answer(self) -> bool:
        """Whether all nodes do."""
        return all(self.machine.ask(f"http://127.0.0.1:{port}/health") == {"status": "ok"} for port in PORTS.values())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Its nodes are of the release before; @taro lives in each."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    found.write_inventory()
    found.machine.install("curl")
    found.machine.install("--download-only", *FETCHED)
    with found.booted as booted:
        booted.lay_cables()
        booted.name_it()
        booted.start()
        recap(found.play(found.before))
        for name in PORTS:
            found.kairan(name, "user", "add", "taro", said="correct-horse-battery\n")
        yield found
    found.machine.remove()


def test_nodes_answer_on_their_databases(cluster: Cluster) -> None:
    assert cluster.answer()
    assert "schema_version" in cluster.tables("sakura") & cluster.tables("ume")


def test_a_release_that_spoils_a_database_is_taken_back_out_of_the_cluster(cluster: Cluster) -> None:
    before, tables = cluster.program("sakura"), cluster.tables("sakura")
    done = cluster.play(cluster.spoilt, "-e", "kairan_only=sakura")
    assert done.returncode != 0
    assert "sakura町内会 runs as before" in done.stdout
    assert did(done, "Bring the database back")
    assert cluster.program("sakura") == before
    assert cluster.tables("sakura") == tables
    assert cluster.answer()
    assert "@taro:sakura.city.example" in cluster.kairan("sakura", "user", "list")


def test_one_association_is_upgraded_before_the_others(cluster: Cluster) -> None:
    before = cluster.program("ume")
    recap(cluster.play(cluster.now, "-e", "kairan_only=sakura"))
    assert cluster.program("sakura") != cluster.program("ume") == before
    assert cluster.answer()
    assert "@taro:sakura.city.example" in cluster.kairan("sakura", "user", "list")
    assert list((cluster.machine.folder / "var/lib/sakura").glob("before-upgrade*")) == [], "nothing more to go back to"


def test_a_second_time_changes_nothing_and_what_would_change_is_told_before(cluster: Cluster) -> None:
    done = cluster.play(cluster.now, "-e", "kairan_only=sakura")
    assert recap(done)["changed"] == 0, done.stdout
    before = cluster.program("ume")
    done = cluster.play(cluster.now, "--check")
    assert recap(done)["changed"] == 1, done.stdout
    assert "ume町内会 would be upgraded, with a backup before" in done.stdout
    assert cluster.program("ume") == before


def test_an_association_that_goes_leaves_its_data_and_no_name(cluster: Cluster) -> None:
    done = cluster.play(cluster.now, "-e", "kairan_node_state=absent")
    assert done.returncode != 0
    assert "Write state=absent into the association that goes" in done.stdout, "not all at once"
    cluster.write_inventory(state="absent")
    recap(cluster.play(cluster.now, "-e", "kairan_only=ume"))
    files = cluster.machine.folder
    assert not (files / "etc/systemd/system/ume.service").exists()
    assert "ume.city" not in (files / "etc/nginx/conf.d/kairan-sites.conf").read_text()
    assert (files / "var/lib/ume/signing.key").exists()
    assert cluster.machine.ask(f"http://127.0.0.1:{PORTS['sakura']}/health") == {"status": "ok"}
