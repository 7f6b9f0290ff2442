"""The playbook for one association, tried for real in a Debian of its own (``make deploy-test``)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.stage import ANSIBLE, TOOLS, Machine, prepare_tools, reason_to_skip, recap, run, stage

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "never")

URL = "http://127.0.0.1:18008"
PROGRAM = "/opt/kairan/venv/bin/kairan"
wheels: list[Path] = []
CONFIG = "/var/lib/kairan/kairan.toml"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A Debian on which nothing was done yet."""
    folder = tmp_path_factory.mktemp("deploy")
    found = Machine(folder / "root")
    wheels.append(stage(found))
    yield found
    found.remove()


def play(machine: Machine, playbook: str = "association.yml", *more: str) -> subprocess.CompletedProcess[str]:
    return machine.play(playbook, "-e", "kairan_hosts=all", "-e", f"kairan_node_wheels={wheels[0]}", *more)


def test_the_playbooks_are_clean() -> None:
    prepare_tools()
    run(TOOLS / "bin/ansible-lint", "--offline", PATH=f"{TOOLS / 'bin'}:{os.environ['PATH']}")


def test_variables_under_old_names_are_refused(machine: Machine) -> None:
    done = play(machine, "association.yml", "-e", "kairan_node_backup_dir=/mnt")
    assert done.returncode != 0
    assert "kairan_node_backup_dir is called kairan_node_backup_folder now" in done.stdout


def test_the_playbook_runs_and_a_second_time_changes_nothing(machine: Machine) -> None:
    first = recap(play(machine))
    assert first["changed"] > 10
    second = play(machine)
    assert recap(second)["changed"] == 0, second.stdout


def test_the_installed_node_answers(machine: Machine) -> None:
    unit = (machine.folder / "etc/systemd/system/kairan.service").read_text()
    [start] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    node = subprocess.Popen(["chroot", "--userspec=kairan:kairan", str(machine.folder), *start.split()],
                            stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout is not None
        assert "ready" in node.stdout.readline()
        assert json.load(urllib.request.urlopen(f"{URL}/health", timeout=10)) == {"status": "ok"}
        assert "v1.11" in json.load(urllib.request.urlopen(f"{URL}/_matrix/client/versions", timeout=10))["versions"]
        told = json.load(urllib.request.urlopen(f"{URL}/_matrix/key/v2/server", timeout=10))
        assert told["server_name"] == "sakura.example"
        as_node = ("setpriv", "--reuid=kairan", "--regid=kairan", "--init-groups")
        link = machine.inside(*as_node, PROGRAM, "invite", "--name", "山田太郎", "--block", "1班", "--config", CONFIG)
        assert link.startswith("https://sakura.example/i/")
        machine.inside(*as_node, PROGRAM, "daily", "--config", CONFIG)
    finally:
        node.terminate()
        assert node.wait(20) == 0
    backups = list((machine.folder / "var/backups/kairan").iterdir())
    assert len(backups) == 2, "the first one of the playbook, and the night's"
    assert all(path.stat().st_mode & 0o077 == 0 for path in backups)


def test_the_units_are_right_and_hardened(machine: Machine) -> None:
    for unit in ("kairan.service", "kairan-daily.service", "kairan-daily.timer"):
        machine.inside("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit}")
    judged = machine.inside("systemd-analyze", "security", "--offline=true", "/etc/systemd/system/kairan.service")
    exposure = float(re.findall(r"Overall exposure level[^:]*: ([\d.]+)", judged)[0])
    assert exposure < 2.0, judged
    for link in ("multi-user.target.wants/kairan.service", "timers.target.wants/kairan-daily.timer"):
        assert (machine.folder / "etc/systemd/system" / link).is_symlink(), "it starts with the machine"


def test_only_the_node_may_read_its_data(machine: Machine) -> None:
    data = machine.folder / "var/lib/kairan"
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "signing.key").stat().st_mode & 0o777 == 0o600
    assert (data / "kairan.toml").stat().st_mode & 0o777 == 0o640


def test_a_node_keeps_its_name(machine: Machine) -> None:
    done = play(machine, "association.yml", "-e", "kairan_node_server_name=other.example")
    assert done.returncode != 0
    assert "A node can never" in done.stdout


def test_the_node_goes_with_a_last_backup_and_leaves_its_data(machine: Machine) -> None:
    time.sleep(1)  # backups are called after the second
    before = set((machine.folder / "var/backups/kairan").iterdir())
    recap(play(machine, "association.yml", "-e", "kairan_node_state=absent"))
    assert set((machine.folder / "var/backups/kairan").iterdir()) > before
    assert not (machine.folder / "etc/systemd/system/kairan.service").exists()
    assert not (machine.folder / "opt/kairan").exists()
    assert (machine.folder / "var/lib/kairan/kairan.db").exists()
    again = recap(play(machine, "association.yml"))
    assert again["changed"] > 3, "and it comes back on the same data"
    recap(play(machine, "association.yml", "-e", "kairan_node_state=absent", "-e", "kairan_node_delete_data=true"))
    assert not (machine.folder / "var/lib/kairan").exists()
    assert not Path(machine.folder / "var/backups/kairan").exists()


def test_the_other_playbooks_are_understood() -> None:
    prepare_tools()
    for name, inventory in (
        ("association", "association"), ("lan", "lan"), ("city", "city"), ("machine", "city"), ("move", "city"),
    ):
        run(TOOLS / "bin/ansible-playbook", "--syntax-check", "-i", f"inventories/{inventory}.yml",
            f"playbooks/{name}.yml", "-e", "kairan_move=ume", "-e", "kairan_move_to=node2.city.example.jp",
            ANSIBLE_CONFIG=str(ANSIBLE / "ansible.cfg"))
