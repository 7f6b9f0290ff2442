"""Copies of backups far away, on real servers: brought there, rotated, listed, and restored from there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import commands
from server.assembly.running import prepare_database
from server.config import Settings, load_settings
from server.foundation.errors import Refused
from server.foundation.settings import SettingsError
from server.operation.backup import make_backup
from server.operation.copying import backups_there, copy_newest, fetch
from server.operation.doctor import look_at_copy
from server.operation.far_places import FarAddress, Means, far_place
from server.operation.findings import State
from server.operation.sealing import new_pair
from tests.builders import settings_for
from tests.fakes.clock import FakeClock
from tests.operation.far_servers import PASSWORD, Far, find_openssh, openssh_server, s3_server, sftp_server
from tests.operation.houses import TOML

START_MS = 1_767_225_600_000  # 2026-01-01 in Japan
DAY_MS = 86_400_000


@pytest.fixture(params=["sftp", "openssh", "s3"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    """A place far away, of each kind."""
    if request.param == "s3":
        with s3_server(tmp_path) as found:
            yield found
        return
    if request.param == "sftp":
        with sftp_server(tmp_path / "far", tmp_path) as found:
            yield found
        return
    program = find_openssh()
    if program is None:
        pytest.skip("OpenSSH's server is not installed; another SFTP server is tried in any case")
    with openssh_server(tmp_path / "far", tmp_path, program) as found:
        yield found


class House:
    """A node's folder with a sealed backup a day, and its settings."""

    def __init__(self, folder: Path, far: Far, more: str = "") -> None:
        self.public, self.secret = new_pair()
        self.disk = folder / "disk"
        self.disk.mkdir()
        (folder / "node").mkdir()
        self.config = folder / "node/kairan.toml"
        self.write(
            f'{TOML}[backup]\nfolder = "{self.disk}"\npublic_key = "{self.public}"\ncopy_to = ["{far.address}"]\n'
            f"{far.toml}{more}"
        )
        (folder / "secret").write_text(self.secret)
        self._night = 0
        settings_for(self.config.parent)  # the key
        prepare_database(self.settings)

    def write(self, toml: str) -> None:
        self.config.write_text(toml)

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def backs_up(self) -> Path:
        """One backup, twenty days after the one before."""
        clock = FakeClock(START_MS + self._night * 20 * DAY_MS)
        self._night += 1
        return make_backup(self.settings, self.config, self.disk, clock).path

    def change(self, old: str, new: str) -> None:
        """Another setting."""
        toml = self.config.read_text()
        assert old in toml
        self.write(toml.replace(old, new))


def means_of(house: House) -> Means:
    return Means.of(house.settings.backup)


def test_a_backup_is_brought_away_once_and_a_node_comes_back_from_there(
    far: Far, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(tmp_path, far)
    assert commands.main(["daily", "--config", str(house.config)]) == 0
    [backup] = house.disk.iterdir()
    assert f"has {backup.name}." in capsys.readouterr().out
    [again] = copy_newest(house.settings)
    assert (again.name, again.was_brought) == (backup.name, False)

    assert commands.main(["backups", far.address, *far.arguments]) == 0
    assert backup.name in capsys.readouterr().out
    new, key = str(tmp_path / "new/node"), str(tmp_path / "secret")
    assert commands.main(["restore", far.address, new, "--key-file", key, *far.arguments]) == 0
    assert load_settings(tmp_path / "new/node/kairan.toml").server_name == house.settings.server_name
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["node"], "what was brought for it is gone"
    assert look_at_copy(house.settings, far.address).state is State.GOOD


def test_what_is_not_a_backup_of_this_node_is_left_alone_there(far: Far, tmp_path: Path) -> None:
    house = House(tmp_path, far, "keep = 1\nkeep_months = 0\n")
    other = tmp_path / "kairan-ume.example-20260101-030000.tar.gz.sealed"
    other.write_text("another node's")
    (tmp_path / "photo.jpg").write_text("no backup")
    with far_place(FarAddress.parse(far.address), means_of(house)) as place:
        place.put(other)
        place.put(tmp_path / "photo.jpg")
        house.backs_up()
        copy_newest(house.settings)
        assert set(place.sizes()) == {other.name, "photo.jpg", next(house.disk.iterdir()).name}
    with pytest.raises(Refused, match=r"are backups of sakura\.example, ume\.example; give the name"):
        fetch(far.address, means_of(house), tmp_path)
    assert fetch(f"{far.address}/{other.name}", means_of(house), house.disk).read_text() == "another node's"
    with pytest.raises(Refused, match="There is no kairan-ume"):
        fetch(f"{far.address}/kairan-ume.example-20260102-030000.tar.gz.sealed", means_of(house), tmp_path)


def test_old_copies_go_as_old_backups_do(far: Far, tmp_path: Path) -> None:
    house = House(tmp_path, far, "keep = 2\nkeep_months = 1\n")
    for _ in range(5):
        house.backs_up()
        copy_newest(house.settings)
    there = list(backups_there(far.address, means_of(house)))
    assert there == sorted(path.name for path in house.disk.iterdir())
    assert [name.split("-")[2] for name in there] == ["20260210", "20260302", "20260322"]


def test_a_copy_that_broke_off_is_brought_again(far: Far, tmp_path: Path) -> None:
    house = House(tmp_path, far)
    backup = house.backs_up()
    whole = backup.read_bytes()
    with far_place(FarAddress.parse(far.address), means_of(house)) as place:
        backup.write_bytes(whole[:-20])
        place.put(backup)
        backup.write_bytes(whole)
        broken_off = tmp_path / "kairan-sakura.example-20251201-030000.tar.gz.sealed.part"
        broken_off.write_text("as far as it came")
        place.put(broken_off)
        assert copy_newest(house.settings)[0].was_brought
        assert dict(place.sizes()) == {backup.name: len(whole)}


def test_a_backup_that_is_not_sealed_stays_here(far: Far, tmp_path: Path) -> None:
    house = House(tmp_path, far)
    house.change(f'public_key = "{house.public}"\n', "")
    house.backs_up()
    with pytest.raises(Refused, match="not sealed, and does not leave this machine"):
        copy_newest(house.settings)
    assert backups_there(far.address, means_of(house)) == {}
    assert look_at_copy(house.settings, far.address).state is State.BAD


def test_a_wrong_key_or_place_is_told_and_the_backup_here_is_made(
    far: Far, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(tmp_path, far)
    wrong = tmp_path / ("secrets" if far.folder is None else "ssh.key")
    right = wrong.read_text()
    if far.folder is None:
        wrong.write_text(right[:-8] + "AAAAAAA\n")
    else:
        wrong.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    assert commands.main(["daily", "--config", str(house.config)]) == 1
    told = capsys.readouterr()
    assert "MB" in told.out
    assert "key" in told.err
    assert right.split()[-1] not in told.err
    wrong.write_text(right)
    nowhere = f"{far.address}-nowhere" if far.folder else far.address.replace("kairan-backups", "nowhere")
    house.change(f'"{far.address}"', f'"{nowhere}", "{far.address}"')
    with pytest.raises(Refused, match=r"There is no such bucket|there is no such folder") as refusal:
        copy_newest(house.settings)
    assert "has kairan-sakura.example" in refusal.value.reason, "the other place was tried, too"


def test_nobody_answers(far: Far, tmp_path: Path) -> None:
    house = House(tmp_path, far)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        parts = FarAddress.parse(far.address)
        house.change(f":{parts.port}/", f":{closed.getsockname()[1]}/")
        house.backs_up()
        with pytest.raises(Refused, match="cannot be reached"):
            copy_newest(house.settings)


# ---- only by SFTP --------------------------------------------------------------------------------------------------


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Far]:
    with sftp_server(tmp_path / "far", tmp_path) as found:
        yield found


def test_a_server_whose_key_nobody_knows_is_not_trusted_and_the_line_is_told(sftp: Far, tmp_path: Path) -> None:
    house = House(tmp_path, sftp)
    known = tmp_path / "known_hosts"
    line = known.read_text().strip()
    other = line.rpartition(" ")[0].split()
    known.write_text(f"{other[0].replace('[127', '[128')} {other[1]} {line.split()[2]}\n")
    house.backs_up()
    for _ in range(2):  # a file without the server, and no file
        with pytest.raises(Refused, match="SHA256:") as refusal:
            copy_newest(house.settings)
        known.unlink(missing_ok=True)
    told = refusal.value.reason.partition("known_hosts_file): ")[2]
    assert told.split()[:3] == line.split()[:3]
    known.write_text(told + "\n")
    assert copy_newest(house.settings)[0].was_brought


def test_a_password_from_the_file_of_secrets_lets_in(sftp: Far, tmp_path: Path) -> None:
    house = House(tmp_path, sftp)
    house.change(f'ssh_key_file = "{tmp_path}/ssh.key"\n', f'secrets_file = "{tmp_path}/secrets"\n')
    house.backs_up()
    secrets = tmp_path / "secrets"
    with pytest.raises(Refused, match="no file"):
        copy_newest(house.settings)
    secrets.write_text(f"machine 127.0.0.1 login kairan passwort {PASSWORD}\n")
    with pytest.raises(Refused, match="no file of secrets") as refusal:
        copy_newest(house.settings)
    assert PASSWORD not in refusal.value.reason
    secrets.write_text("machine 127.0.0.1 login kairan password wrong\n")
    with pytest.raises(Refused, match="does not let us in"):
        copy_newest(house.settings)
    secrets.write_text(f"machine 127.0.0.1 login kairan password {PASSWORD}\n")
    assert copy_newest(house.settings)[0].was_brought


def test_a_folder_that_may_not_be_written_to_is_told(sftp: Far, tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    house = House(tmp_path, sftp)
    house.backs_up()
    assert sftp.folder is not None
    sftp.folder.chmod(0o500)
    with pytest.raises(Refused, match="we may not do that"):
        copy_newest(house.settings)


# ---- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [
    "ftp://kairan@nas.local/backups", "sftp://nas.local/backups", "sftp://kairan@nas.local/", "s3://key@host:0/bucket",
    "s3://key@host:99999/bucket", "sftp://kairan@nas.local/a?b=c", "/mnt/usb",
])
def test_an_address_that_cannot_be_one_is_refused_in_the_settings(address: str, tmp_path: Path) -> None:
    (tmp_path / "kairan.toml").write_text(
        f'server_name = "sakura.example"\n[backup]\nfolder = "/mnt"\ncopy_to = ["{address}"]\n'
    )
    with pytest.raises(SettingsError, match="must be as"):
        load_settings(tmp_path / "kairan.toml")
    with pytest.raises(Refused, match="must be as"):
        FarAddress.parse(address)


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "kairan.toml").write_text(
        'server_name = "sakura.example"\n[backup]\nfolder = "/mnt"\ncopy_to = ["sftp://kairan:secret@nas.local/backups"]\n'
    )
    with pytest.raises(SettingsError, match="must not hold a password") as refusal:
        load_settings(tmp_path / "kairan.toml")
    assert "kairan:" not in str(refusal.value)


def test_copies_of_nothing_are_refused_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "kairan.toml").write_text(
        'server_name = "sakura.example"\n[backup]\ncopy_to = ["sftp://kairan@nas.local/backups"]\n'
    )
    with pytest.raises(SettingsError, match="copy_to needs a folder"):
        load_settings(tmp_path / "kairan.toml")


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name, name="asyncssh")

    monkeypatch.setattr("server.operation.far_places.importlib.import_module", missing)
    with (
        pytest.raises(Refused, match=r"library that is missing \(asyncssh\): pip install 'kairan\[copies\]'"),
        far_place(FarAddress.parse("sftp://kairan@nas.local/backups"), Means()),
    ):
        pass
