"""The playbooks of a city, tried for real on two Debians of their own (``make deploy-test``): a cluster of databases,
one way in by host name, a second machine, and an association that moves to it.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.fetched import reason_to_skip
from tests.deploy.machine import Machine, recap, running
from tests.deploy.stage import stage

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "never")

DATABASE_PORT, HTTP_PORT, HTTPS_PORT = 15432, 18080, 18443
IN_A_FILE = "ume"
PORTS = {"sakura": 18101, "ume": 18102}
MOVED = {"sakura": 18101, "ume": 18103}


class City:
    """Two machines, the first of which has the databases and the way in, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.one, self.two = Machine(folder / "one"), Machine(folder / "two")
        self.wheels = folder

    def write_inventory(self, machines: dict[str, str], ports: dict[str, int] = PORTS) -> None:
        """Which association is on which machine, and at which port there."""
        settings: dict[str, dict[str, Any]] = {name: {"passwords": {"cost": 4}} for name in machines}
        settings[IN_A_FILE]["database"] = {"url": ""}
        associations = [
            {"instance": name, "server_name": f"{name}.city.example", "name": f"{name}町内会", "port": ports[name],
             "machine": machine, "settings": settings[name]}
            for name, machine in machines.items()
        ]
        here = {"kairan_machine_address": "127.0.0.1", "ansible_connection": "chroot"}
        hosts = {"one": {"ansible_host": str(self.one.folder), **here},
                 "two": {"ansible_host": str(self.two.folder), **here}}
        inventory = {"all": {
            "vars": {
                "kairan_associations": associations, "kairan_node_wheels": str(self.wheels),
                "kairan_proxy_program": "nginx", "kairan_proxy_certificates": "internal",
                "kairan_postgresql_port": DATABASE_PORT, "kairan_postgresql_memory_mb": 512,
            },
            "children": {"kairan": {"hosts": hosts}, "kairan_entry": {"hosts": {"one": {}}},
                         "kairan_database": {"hosts": {"one": {}}}},
        }}
        (self.folder / "inventory.json").write_text(json.dumps(inventory))

    def play(self, playbook: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.one.play(playbook, *more, inventory=self.folder / "inventory.json")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Nothing was done on its machines yet, but that the first one has a running PostgreSQL: in a folder there is no
    service manager to start it.
    """
    found = City(tmp_path_factory.mktemp("city"))
    found.wheels = stage(found.one)
    found.one.install("postgresql")
    version = found.one.inside("pg_lsclusters", "--no-header").split()[0]
    found.one.inside("pg_conftool", version, "main", "set", "port", str(DATABASE_PORT))
    found.one.inside("pg_ctlcluster", version, "main", "start")
    yield found
    found.one.inside("pg_ctlcluster", version, "main", "stop", "--mode", "immediate")
    found.one.remove()
    found.two.remove()


def ask(name: str, path: str, port: int | None = None) -> Any:
    """What a node answers."""
    return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port or PORTS[name]}{path}", timeout=20))


def kairan(machine: Machine, name: str, *command: str) -> str:
    """A command of those who look after the machine."""
    return machine.inside(f"/usr/local/sbin/kairan-{name}", *command)


def test_a_plan_that_cannot_be_is_refused(city: City) -> None:
    city.write_inventory({"sakura": "one", "ume": "three"})
    done = city.play("city.yml")
    assert done.returncode != 0
    assert "a machine of the inventory" in done.stdout
    city.write_inventory({"ume": "one"})
    done = city.play("city.yml", "-e", "kairan_only=ume,matsu")
    assert done.returncode != 0
    assert "kairan_only names matsu, which kairan_associations does not have" in done.stdout


def test_a_city_is_set_up(city: City) -> None:
    assert recap(city.play("city.yml", "--limit", "one"))["changed"] > 20


def test_a_new_association_is_added_without_looking_at_the_others(city: City) -> None:
    city.write_inventory({"sakura": "one", "ume": "one"})
    done = city.play("city.yml", "--limit", "one", "-e", "kairan_only=sakura")
    recap(done)
    assert re.findall(r"/node\.yml for one => \(item=(\w+)\)", done.stdout) == ["sakura"]


def test_each_association_has_a_database_that_no_other_one_sees(city: City) -> None:
    secret = (city.folder / "passwords/sakura").read_text().strip()
    address = f"postgresql://sakura:{secret}@127.0.0.1:{DATABASE_PORT}"
    city.one.inside("psql", f"{address}/sakura", "-c", "SELECT 1")
    for other in ("ume", "postgres"):
        with pytest.raises(AssertionError, match=r"no pg_hba\.conf entry|permission denied"):
            city.one.inside("psql", f"{address}/{other}", "-c", "SELECT 1")
    settings = (city.one.folder / "var/lib/sakura/kairan.toml").read_text()
    assert f":{secret}@127.0.0.1:{DATABASE_PORT}/sakura" in settings


def test_nodes_answer_on_their_databases_and_names_lead_to_them(city: City) -> None:
    plain, sites = (city.one.folder / f"etc/nginx/conf.d/kairan-{name}.conf" for name in ("plain", "sites"))
    kept = plain.read_text(), sites.read_text()
    plain.write_text(re.sub(r"listen (\[::\]:)?80 ", rf"listen \g<1>{HTTP_PORT} ", kept[0]))
    sites.write_text(re.sub(r"listen (\[::\]:)?443 ", rf"listen \g<1>{HTTPS_PORT} ", kept[1]))
    city.one.inside("nginx")
    try:
        with running(city.one, "sakura"), running(city.one, "ume"):
            assert ask("sakura", "/_matrix/key/v2/server")["server_name"] == "sakura.city.example"
            trusted = ssl.create_default_context(cafile=city.one.folder / "etc/nginx/kairan/ca.crt")
            for name in PORTS:
                host = f"{name}.city.example"
                told = by_name(host, "/_matrix/key/v2/server", trusted)
                assert told["server_name"] == host, "each name leads to its own node, with a certificate for it"
        city.one.inside("sudo", "-u", "postgres", "/usr/local/sbin/kairan-postgresql-backup")
    finally:
        city.one.inside("nginx", "-s", "quit")
        plain.write_text(kept[0])
        sites.write_text(kept[1])
    dumps = list((city.one.folder / "var/backups/kairan-postgresql").glob("*.dump"))
    assert sorted(path.name.split("-")[0] for path in dumps) == ["sakura", "ume"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in dumps)


def by_name(host: str, path: str, trusted: ssl.SSLContext) -> Any:
    """What the way in answers to somebody who looks for ``host``, whose certificate must be right."""
    with (
        socket.create_connection(("127.0.0.1", HTTPS_PORT), timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname=host) as line,
    ):
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert answer.status == 200
        return json.loads(answer.read())


def test_a_machine_is_added_and_told_what_it_can_hold(city: City) -> None:
    city.two.make()
    shutil.copytree(city.one.archives, city.two.archives, dirs_exist_ok=True)
    done = city.play("machine.yml", "--limit", "two")
    recap(done)
    assert re.search(r"two has 0 associations, and room for about [1-9]", done.stdout)


def test_an_association_moves_to_another_machine(city: City) -> None:
    with running(city.one, "ume"):
        assert ask("ume", "/health") == {"status": "ok"}
        kairan(city.one, "ume", "user", "token")
    key = (city.one.folder / "var/lib/ume/signing.key").read_text()
    recap(city.play("move.yml", "-e", "kairan_move=ume", "-e", "kairan_move_to=two", "-e", "kairan_move_port=18103"))
    assert (city.two.folder / "var/lib/ume/signing.key").read_text() == key
    assert "127.0.0.1:18103" in (city.one.folder / "etc/nginx/conf.d/kairan-sites.conf").read_text()
    assert not (city.one.folder / "var/lib/ume").exists()
    assert not (city.one.folder / "etc/systemd/system/ume.service").exists()
    [left] = (city.one.folder / "var/lib").glob("ume.moved-*")
    assert (left / "kairan.db").exists(), "until somebody is sure"
    assert list((city.two.folder / "var/lib").glob("ume.*")) == []
    with running(city.two, "ume"):
        assert ask("ume", "/_matrix/key/v2/server", 18103)["server_name"] == "ume.city.example"
    database = sqlite3.connect(city.two.folder / "var/lib/ume/kairan.db")
    assert database.execute("SELECT count(*) FROM registration_tokens").fetchone() == (1,), "with what was done before"


def test_an_association_comes_back_from_a_backup_where_its_machine_is_dead(city: City) -> None:
    city.write_inventory({"sakura": "one", "ume": "two"}, MOVED)
    with running(city.one, "sakura"):
        kairan(city.one, "sakura", "backup")
    backup = max((city.one.folder / "var/backups/sakura").iterdir())
    recap(city.play("move.yml", "-e", "kairan_move=sakura", "-e", "kairan_move_to=two", "-e",
                    f"kairan_move_backup={backup}"))
    key = (city.one.folder / "var/lib/sakura/signing.key").read_text()
    assert (city.two.folder / "var/lib/sakura/signing.key").read_text() == key
    with running(city.two, "sakura"):
        assert ask("sakura", "/_matrix/key/v2/server")["server_name"] == "sakura.city.example"


def test_the_plan_as_it_is_now_changes_nothing_any_more(city: City) -> None:
    city.write_inventory({"sakura": "two", "ume": "two"}, MOVED)
    done = city.play("city.yml")
    assert recap(done)["changed"] == 0, done.stdout
