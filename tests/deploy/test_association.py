"""The playbook for one association, tried for real (``make deploy-test``): in a Debian of its own, booted where
this machine allows that. It is installed as it was before, upgraded, spoilt, and taken away; what a service manager, a
firewall, a relay and an authority for certificates make of it is looked at from the street before its door.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import authority, relay, service
from tests.deploy.booted import BOX, BOX_6, STREET, Booted, reason_not_to_boot, until
from tests.deploy.fetched import ANSIBLE, TOOLS, prepare_tools, reason_to_skip, run
from tests.deploy.machine import Machine, did, recap, running
from tests.deploy.stage import older, spoilt, stage

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "never")
boots = pytest.mark.skipif(bool(reason_to_skip() or reason_not_to_boot()), reason=reason_not_to_boot() or "never")

NODE = "http://127.0.0.1:18008"
KAIRAN = "/usr/local/sbin/kairan"
NAMES = {"kairan_node_server_name": "sakura.example", "kairan_node_name": "桜町町内会"}
DATA, BACKUPS = "var/lib/kairan", "var/backups/kairan"
FETCHED = ("nftables", "unattended-upgrades", "systemd-timesyncd", "caddy", "coturn", "nginx", "certbot",
           "python3-packaging", "python3-setuptools")


class Box:
    """The machine, on the way of its life."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder / "box")
        self.booted = Booted(self.machine)
        self.now = stage(self.machine)
        self.before = older(self.now, folder / "before")
        self.spoilt = spoilt(self.now, folder / "spoilt")

    def play(self, wheels: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self.machine.play("association.yml", "-e", f"kairan_node_wheels={wheels}", *more)

    def upgrade(self, wheels: Path, *more: str) -> subprocess.CompletedProcess[str]:
        """With nginx and certbot from then on, and a relay."""
        return self.play(wheels, "-e", "kairan_proxy_program=nginx", "-e", f"kairan_turn_secret={relay.SECRET}",
                         "-e", f"kairan_proxy_acme={authority.DIRECTORY}", *more)

    def backups(self) -> set[Path]:
        return set((self.machine.folder / BACKUPS).iterdir())


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Nothing was done on it yet; it is on where that is possible, and nothing can be fetched any more."""
    found = Box(tmp_path_factory.mktemp("deploy"))
    found.machine.install("curl", "iputils-ping")
    with found.booted as booted:
        if not reason_not_to_boot():
            found.machine.install("--download-only", *FETCHED)
            authority.unpack(found.machine)
            booted.lay_cables()
            booted.name_it("=sakura.example", authority.NAME)
            booted.start()
            authority.open_for(booted)
        yield found
    found.machine.remove()


def test_the_playbooks_are_clean() -> None:
    prepare_tools()
    run(TOOLS / "bin/ansible-lint", "--offline", PATH=f"{TOOLS / 'bin'}:/usr/local/bin:/usr/bin:/bin")


def test_variables_under_old_names_are_refused(box: Box) -> None:
    done = box.machine.take_role("kairan_node", **NAMES, kairan_node_backup_dir="/mnt")
    assert done.returncode != 0
    assert "kairan_node_backup_dir → kairan_node_backup_folder" in done.stdout


def test_the_playbook_runs_and_the_node_answers(box: Box) -> None:
    assert recap(box.play(box.before, "-e", f"kairan_proxy_acme={authority.DIRECTORY}"))["changed"] > 10
    with running(box.machine, "kairan"):
        assert box.machine.ask(f"{NODE}/health") == {"status": "ok"}
        assert "v1.11" in box.machine.ask(f"{NODE}/_matrix/client/versions")["versions"]
        assert box.machine.ask(f"{NODE}/_matrix/key/v2/server")["server_name"] == "sakura.example"
        as_node = ("runuser", "-u", "kairan", "--", *program(box), "user", "add", "taro")
        box.machine.inside(*as_node, "--config", f"/{DATA}/kairan.toml", said=f"{relay.PASSWORD}\n")
    assert len(box.backups()) == 1
    assert all(path.stat().st_mode & 0o077 == 0 for path in box.backups())


def program(box: Box) -> list[str]:
    """What the unit starts."""
    unit = (box.machine.folder / "etc/systemd/system/kairan.service").read_text()
    return re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)


@boots
def test_caddy_gets_a_certificate_for_its_name_and_leads_there(box: Box) -> None:
    until(lambda: authority.ask(box.booted, "/health") == {"status": "ok"}, "there is a certificate")
    assert authority.ask(box.booted, "/.well-known/matrix/server") == {"m.server": "sakura.example:443"}


def test_only_the_node_may_read_its_data(box: Box) -> None:
    data = box.machine.folder / DATA
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "signing.key").stat().st_mode & 0o777 == 0o600
    assert (data / "kairan.toml").stat().st_mode & 0o777 == 0o640


def test_a_node_keeps_its_name(box: Box) -> None:
    done = box.machine.take_role("kairan_node", **NAMES | {"kairan_node_server_name": "other.example"})
    assert done.returncode != 0
    assert "A node can never" in done.stdout


def test_an_upgrade_is_backed_up_before_and_keeps_what_was_said(box: Box) -> None:
    before, release = box.backups(), program(box)
    wait_for_the_next_name_of_a_backup()
    recap(box.upgrade(box.now))
    assert len(box.backups() - before) == 1
    assert program(box) != release
    assert not Path(f"{box.machine.folder}{release[0]}").exists(), "no node needs it any more"
    assert "@taro:sakura.example" in box.machine.inside(KAIRAN, "user", "list")


def test_a_second_time_changes_nothing(box: Box) -> None:
    for only_looking in ((), ("--check",)):
        done = box.upgrade(box.now, *only_looking)
        assert recap(done)["changed"] == 0, done.stdout


def test_the_units_are_right_and_hardened(box: Box) -> None:
    for unit in ("kairan.service", "kairan-daily.service", "kairan-daily.timer"):
        box.machine.inside("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit}")
        assert (unit.endswith("timer")) or exposure(box, unit) < 2.0
    for link in ("multi-user.target.wants/kairan.service", "timers.target.wants/kairan-daily.timer"):
        assert (box.machine.folder / "etc/systemd/system" / link).is_symlink(), "it starts with the machine"


def exposure(box: Box, unit: str) -> float:
    """How much a service could do that it need not, from 0 to 10."""
    judged = box.machine.inside("systemd-analyze", "security", "--offline=true", f"/etc/systemd/system/{unit}")
    return float(re.findall(r"Overall exposure level[^:]*: ([\d.]+)", judged)[0])


@boots
def test_the_service_may_write_to_its_data_and_nothing_else(box: Box) -> None:
    script = box.machine.folder / DATA / "try.sh"
    script.write_text(service.FORBIDDEN)
    script.chmod(0o644)
    trying = f"[Service]\nExecStartPre=/bin/sh -c 'sh /{DATA}/try.sh > /{DATA}/could'\n"
    with service.changed(box.booted, service.UNIT, trying):
        box.machine.inside("systemctl", "restart", service.UNIT)
        assert (box.machine.folder / DATA / "could").read_text() == ""


@boots
def test_a_service_that_takes_too_much_memory_is_ended(box: Box) -> None:
    greedy = "python3 -c \"print(len(b'x' * (1500 << 20)))\""
    with service.changed(box.booted, service.UNIT, f"[Service]\nExecStartPre={greedy}\nRestart=no\n"):
        with pytest.raises(AssertionError, match="failed"):
            box.machine.inside("systemctl", "restart", service.UNIT)
        # The older of the two ways of counting memory does not tell why.
        assert service.what(box.booted, "Result") in ("oom-kill", "signal")
    until(lambda: service.answers(box.booted), "the node is back")


@boots
def test_a_node_that_hangs_or_dies_is_started_anew(box: Box) -> None:
    with service.changed(box.booted, service.UNIT, "[Service]\nWatchdogSec=6\n"):
        box.machine.inside("systemctl", "restart", service.UNIT)
        for number, signal in enumerate(("STOP", "KILL")):
            before = service.what(box.booted, "MainPID")  # who is stopped ends by the watchdog only
            box.machine.inside("sh", "-c", f"kill -{signal} {before}")
            until(lambda before=before: service.what(box.booted, "MainPID") not in ("0", before), signal)  # type: ignore[misc]
            until(lambda: service.answers(box.booted), f"it answers again after {signal}")
            assert int(service.what(box.booted, "NRestarts")) > number


@boots
def test_every_night_the_timer_checks_and_backs_up(box: Box) -> None:
    due = box.machine.inside("env", "TZ=Asia/Tokyo", "systemctl", "list-timers", "--no-pager", "kairan-daily.timer")
    assert re.search(r" 03:[123]\d:\d\d JST", due), due
    before = box.backups()
    soon = "[Timer]\nOnCalendar=\nOnActiveSec=1\nRandomizedDelaySec=0\n"
    with service.changed(box.booted, "kairan-daily.timer", soon):
        box.machine.inside("systemctl", "restart", "kairan-daily.timer")
        until(lambda: box.backups() > before, "there is a backup")
        until(lambda: service.what(box.booted, "ActiveState", "kairan-daily.service") == "inactive", "it has ended")
    assert service.what(box.booted, "Result", "kairan-daily.service") == "success"
    assert "The data is sound" in service.journal(box.booted, "kairan-daily.service")


@boots
def test_nginx_has_taken_over_with_a_certificate_by_certbot(box: Box) -> None:
    assert authority.ask(box.booted, "/health") == {"status": "ok"}
    assert "nginx" in box.booted.outside("curl", "-sI", "http://sakura.example/")
    settings = box.machine.inside("nginx", "-T")
    assert set(re.findall(r"worker_(?:connections|rlimit_nofile) \d+", settings)) == {
        "worker_rlimit_nofile 32768", "worker_connections 16384"}, "everybody's telephone waits all day"
    box.machine.inside("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew")
    assert authority.ask(box.booted, "/health") == {"status": "ok"}, "and nginx has heard of the renewed one"


@boots
@pytest.mark.parametrize("address", [BOX, BOX_6])
def test_the_firewall_lets_in_what_is_asked_for_and_nothing_else(box: Box, address: str) -> None:
    box.booted.outside("ping", "-c", "1", "-W", "2", address)
    for_all, for_nobody = (22, 80, 443, 3478), (5432, 8448, 9000, 18008)
    with box.booted.listening(5432, 8448, 9000):
        doors = box.booted.doors(address, for_all + for_nobody)
    assert doors == dict.fromkeys(for_all, "open") | dict.fromkeys(for_nobody, "shut")


@boots
def test_security_updates_come_by_themselves(box: Box) -> None:
    settings = box.machine.inside("apt-config", "dump", "APT::Periodic")
    assert 'Unattended-Upgrade "1"' in settings
    assert 'Update-Package-Lists "1"' in settings
    said = box.machine.inside("unattended-upgrade", "--dry-run", "--verbose")
    assert re.search(r"label=Debian-Security|o=Ubuntu,a=\w+-security", said), said
    assert box.machine.inside("systemctl", "is-active", "apt-daily-upgrade.timer") == "active\n"


@boots
def test_everything_comes_back_after_a_power_cut(box: Box) -> None:
    box.booted.stop()
    box.booted.start()
    until(lambda: authority.ask(box.booted, "/health") == {"status": "ok"}, "the node answers by its name")
    for unit in ("kairan.service", "kairan-daily.timer", "nginx.service", "coturn.service", "nftables.service"):
        assert service.what(box.booted, "ActiveState", unit) == "active", unit
    assert box.booted.doors(BOX, (443, 18008)) == {443: "open", 18008: "shut"}


@boots
def test_calls_are_relayed_for_people_of_the_node_only_and_into_no_house(box: Box) -> None:
    given = relay.credentials(box.booted)
    assert relay.lost_on_the_way(box.booted, given) == 0
    for wrong in (given._replace(password="wrong"), given.expired(), given.made_up()):
        assert "Cannot complete Allocation" in relay.refusal(box.booted, wrong), wrong.username
    for house in ("192.168.7.5", "10.0.0.3", "127.0.0.1", "169.254.169.254"):
        assert "403 (Forbidden IP)" in relay.refusal(box.booted, given, house)


def test_a_release_that_does_not_pass_is_taken_back_with_everything_as_it_was(box: Box) -> None:
    if not box.machine.leader.exists():
        pytest.skip(reason_not_to_boot())
    release = program(box)
    wait_for_the_next_name_of_a_backup()
    done = box.upgrade(box.spoilt)
    assert done.returncode != 0
    assert "runs as before" in done.stdout
    assert did(done, "Bring the database back")
    assert program(box) == release
    assert box.machine.ask(f"{NODE}/health") == {"status": "ok"}
    assert "@taro:sakura.example" in box.machine.inside(KAIRAN, "user", "list")


def wait_for_the_next_name_of_a_backup() -> None:
    """Backups are called after the second."""
    time.sleep(1)


def test_the_node_goes_with_a_last_backup_and_leaves_its_data(box: Box) -> None:
    before = box.backups()
    wait_for_the_next_name_of_a_backup()
    done = box.play(box.now, "-e", "kairan_node_state=absent")
    recap(done)
    assert "Its data is in /var/lib/kairan" in done.stdout
    assert box.backups() > before
    assert not (box.machine.folder / "etc/systemd/system/kairan.service").exists()
    assert not (box.machine.folder / "opt/kairan").exists()
    assert (box.machine.folder / DATA / "kairan.db").exists()
    assert "sakura.example" not in (box.machine.folder / "etc/caddy/Caddyfile").read_text(), "its name leads nowhere"
    done = box.machine.take_role("kairan_node", **NAMES, kairan_node_state="absent", kairan_node_delete_data=True)
    assert done.returncode == 0, done.stdout
    assert not (box.machine.folder / DATA).exists()
    assert not (box.machine.folder / BACKUPS).exists()


@boots
def test_the_port_of_the_databases_is_open_to_the_machines_of_the_city_alone(box: Box) -> None:
    run("ip", "-n", box.booted.street, "addr", "add", "203.0.113.66/24", "dev", "eth0")
    done = box.machine.take_role("kairan_machine", kairan_machine_open_ports=[22], kairan_machine_open_udp_ports=[],
                                 kairan_machine_trusted=[{"address": STREET, "ports": ["5432"]}])
    assert done.returncode == 0, done.stdout
    with box.booted.listening(8443, 5432):
        assert box.booted.doors(BOX, (22, 443, 8443, 5432), STREET) == {
            22: "open", 443: "shut", 8443: "shut", 5432: "open"}
        assert box.booted.doors(BOX, (22, 5432), "203.0.113.66") == {22: "open", 5432: "shut"}


def test_the_other_playbooks_are_understood() -> None:
    prepare_tools()
    for name, inventory in (
        ("association", "association"), ("lan", "lan"), ("city", "city"), ("machine", "city"), ("move", "city"),
    ):
        run(TOOLS / "bin/ansible-playbook", "--syntax-check", "-i", f"inventories/{inventory}.yml",
            f"playbooks/{name}.yml", "-e", "kairan_move=ume", "-e", "kairan_move_to=node2.city.example.jp",
            ANSIBLE_CONFIG=str(ANSIBLE / "ansible.cfg"))
