"""Whatever somebody types wrongly, has no right to or lacks room for: they hear why, and nothing is half done."""

from __future__ import annotations

import csv
import errno
import io
import shutil
import sqlite3
import sys
import tarfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from server import commands
from server.assembly.running import prepare_database
from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.folder_lock import one_at_a_time
from server.operation import backup as backing_up
from server.operation.backup import Made, make_backup
from server.operation.export import export
from server.operation.importing import take_in
from server.operation.restore import restore
from server.operation.sealing import new_pair
from tests.operation.houses import house

OF_NO_NODE = ("restore", "import", "backups")


@dataclass(frozen=True)
class Desk:
    """Where somebody sits: a node that stands still, a backup of it, an export of it; and what they see."""

    folder: Path
    settings: Settings
    told: pytest.CaptureFixture[str]

    def types(self, *words: str) -> str:
        """A command that is refused; answers what it says. It never shows where in our code that was."""
        config = [] if words[0] in OF_NO_NODE else ["--config", str(self.folder / "node/kairan.toml")]
        assert commands.main([*words, *config]) == 1
        said = self.told.readouterr().err
        assert said.strip()
        assert "Traceback" not in said
        return said

    @property
    def backup(self) -> Path:
        [found] = (self.folder / "disk").glob("kairan-*")
        return found


@pytest.fixture(scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slips")
    settings = house(folder / "node")
    prepare_database(settings)
    (folder / "disk").mkdir()
    made(settings, folder / "disk")
    export(settings, folder / "node/kairan.toml", folder / "out", SystemClock())
    (folder / "letter.txt").write_text("大事")
    return folder


@pytest.fixture
def desk(_kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(_kept, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return Desk(tmp_path, house(tmp_path / "node"), capsys)


def made(settings: Settings, folder: Path) -> Made:
    return make_backup(settings, settings.data_dir / "kairan.toml", folder, SystemClock())


@pytest.mark.parametrize(("words", "said"), [
    (("backup",), "Say where"),
    (("backup", "--folder", "{0}/letter.txt"), "There is no folder"),
    (("export", "{0}/letter.txt"), "is there already; nothing was changed"),
    (("export", "{0}/letter.txt/x"), "Not a directory"),
    (("export", "{0}/nowhere/x.json", "--person", "花子"), "There is no folder"),
    (("export", "{0}/x.json", "--person", "花子"), "nobody on the roster is called 花子"),
    (("restore", "{0}/nothing", "{0}/new"), "There is no file"),
    (("restore", "{0}/letter.txt", "{0}/new"), "no whole backup"),
    (("restore", "{backup}", "{0}/letter.txt"), "is not empty; nothing was changed"),
    (("restore", "{backup}", "{0}/letter.txt/new"), "cannot be made: Not a directory"),
    (("restore", "http://x/y", "{0}/new"), "must be as"),
    (("backups", "nowhere"), "must be as"),
    (("import", "{0}/letter.txt", "{0}/new"), "is no export"),
    (("import", "{0}/out", "{0}/letter.txt/new"), "cannot be made: Not a directory"),
    (("database", "move"), "Say where to"),
    (("user", "password", "nobody"), "A password is needed"),
])
def test_a_slip_is_told_and_changes_nothing(words: tuple[str, ...], said: str, desk: Desk) -> None:
    before = all_files(desk.folder)
    assert said in desk.types(*(word.format(desk.folder, backup=desk.backup) for word in words))
    assert all_files(desk.folder) - before <= {"node/kairan.lock", "node/snapshot.lock"}


def all_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize(("content", "said"), [
    (None, "No such file"), (b"\xff\xfe\x00", "is no text"), (b"AAAA-BBBB", "typing error"),
])
def test_a_secret_key_that_is_none_opens_nothing(content: bytes | None, said: str, desk: Desk) -> None:
    public, _secret = new_pair()
    sealed = house(desk.folder / "node", f'[backup]\npublic_key = "{public}"\n')
    (desk.folder / "sealed").mkdir()
    file, key = made(sealed, desk.folder / "sealed").path, desk.folder / "key.txt"
    if content is not None:
        key.write_bytes(content)
    assert said in desk.types("restore", str(file), str(desk.folder / "new"), "--key-file", str(key))
    assert "sealed; give the secret key" in desk.types("restore", str(file), str(desk.folder / "new"))
    assert not (desk.folder / "new").exists()


@pytest.mark.parametrize("address", [
    "postgresql+asyncpg://kairan:geheim@host:port/name", "postgresql+asyncpg://kairan:geheim@127.0.0.1:1/name",
    "postgresql+asyncpg://kairan:geheim@host", "mysql://kairan:geheim@host/name",
])
def test_an_address_that_is_none_is_told_without_its_password(
    address: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(address))
    assert "geheim" not in desk.types("database", "move")


# ---- a node that is not as it was ------------------------------------------------------------------------------------


ABOUT_A_NODE = (("user", "list"), ("backup", "--folder", "{0}/disk"), ("export", "{0}/new"))


@pytest.mark.parametrize("words", ABOUT_A_NODE)
def test_a_damaged_database_is_told_by_every_command(words: tuple[str, ...], desk: Desk) -> None:
    (desk.folder / "node/kairan.db").write_bytes(b"x" * 9_000)
    assert "damaged" in desk.types(*(word.format(desk.folder) for word in words))
    assert not (desk.folder / "new").exists()


@pytest.mark.parametrize("words", [("user", "list"), ("export", "{0}/new")])
def test_a_database_of_a_newer_release_is_told_by_every_command(words: tuple[str, ...], desk: Desk) -> None:
    with sqlite3.connect(desk.folder / "node/kairan.db") as database:
        database.execute("UPDATE schema_version SET version = 9999, oldest_compatible = 9999")
    database.close()
    assert "Install the newer version again" in desk.types(*(word.format(desk.folder) for word in words))


@pytest.mark.parametrize("words", [("run",), *ABOUT_A_NODE])
def test_a_database_that_is_gone_is_not_taken_for_a_new_one(
    words: tuple[str, ...], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.assembly.running.set_up_logs", lambda **_named: None)
    (desk.folder / "node/kairan.db").unlink()
    (desk.folder / "node/media").mkdir(exist_ok=True)
    assert "no database" in desk.types(*(word.format(desk.folder) for word in words))
    assert not (desk.folder / "node/kairan.db").exists()


def test_a_node_without_its_key_makes_no_database(desk: Desk) -> None:
    (desk.folder / "node/signing.key").unlink()
    (desk.folder / "node/kairan.db").unlink()
    assert "there is no signing key" in desk.types("user", "list")
    assert not (desk.folder / "node/kairan.db").exists()
    (desk.folder / "node/signing.key").write_text("nonsense")
    assert "holds no signing key" in desk.types("key", "rotate")


def test_whoever_may_not_read_is_not_told_that_the_data_is_damaged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.operation.checking.os.access", lambda _file, _mode: False)
    assert "Please do this as the owner" in desk.types("check")
    assert "damaged" not in desk.types("daily")


# ---- backups and exports that meet each other, or a full disk --------------------------------------------------------


def test_two_backups_at_once_wait_for_each_other(desk: Desk) -> None:
    (desk.folder / "other").mkdir()
    found: list[Made] = []
    with one_at_a_time(desk.settings.data_dir, "snapshot"):
        second = threading.Thread(target=lambda: found.append(made(desk.settings, desk.folder / "other")))
        second.start()
        assert not found
        assert list((desk.folder / "other").iterdir()) == []
    second.join()
    restore(found[0].path, desk.folder / "new", None, SystemClock())


def test_what_backups_that_broke_off_have_left_goes_with_the_next(desk: Desk) -> None:
    left = desk.backup.with_name("kairan-sakura.example-20260101-000000.tar.gz.part")
    left.write_bytes(b"half")
    others = desk.folder / "disk/photos.part"
    others.write_bytes(b"ours not")
    (desk.folder / "node/backup-77.snapshot").write_bytes(b"half")
    made(desk.settings, desk.folder / "disk")
    assert not left.exists()
    assert others.exists()
    assert list((desk.folder / "node").glob("*.snapshot*")) == []


def test_what_lies_beside_an_export_is_not_taken_away(desk: Desk) -> None:
    (desk.folder / "copy.part").mkdir()
    (desk.folder / "copy.part/letter.txt").write_text("大事")
    assert "remove it first" in desk.types("export", str(desk.folder / "copy"))
    assert (desk.folder / "copy.part/letter.txt").read_text() == "大事"


def test_a_disk_that_is_full_leaves_no_half_backup_or_export(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = all_files(desk.folder)
    monkeypatch.setattr(backing_up, "_fill", full)
    monkeypatch.setattr("server.operation.export._write_lines", full)
    for words in (("backup", "--folder", str(desk.folder / "disk")), ("export", str(desk.folder / "new"))):
        assert "No space left on device" in desk.types(*words)
    assert all_files(desk.folder) - before <= {"node/snapshot.lock"}


# ---- archives that somebody has made ---------------------------------------------------------------------------------


@pytest.mark.parametrize("about", [
    b"[]", b"{}", b"[" * 100_000, b'{"format": "1"}',
    b'{"format": 1, "server_name": "x", "made_ms": "1", "schema": 1, "counts": {}}',
    b'{"format": 1, "server_name": "x", "made_ms": 1, "schema": 1, "counts": {"events": "many"}}',
])
def test_a_description_that_says_nothing_is_refused(about: bytes, desk: Desk) -> None:
    file = desk.folder / "made-up.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        entry = tarfile.TarInfo("about.json")
        entry.size = len(about)
        archive.addfile(entry, io.BytesIO(about))
    (desk.folder / "out/about.json").write_bytes(about)
    assert "no whole backup" in desk.types("restore", str(file), str(desk.folder / "new"))
    assert "is no export" in desk.types("import", str(desk.folder / "out"), str(desk.folder / "new"))
    assert not (desk.folder / "new").exists()


def _link(out: Path) -> None:
    place = out / "ファイル/abcdef"
    place.mkdir()
    (place / "x").symlink_to(out.parent / "letter.txt")


def _way_out(out: Path) -> None:
    place = out / f"ファイル/ab{str(out.parent / 'evil').replace('/', '%2F')}"
    place.mkdir()
    (place / "x").write_text("evil")


def _two(out: Path) -> None:
    place = out / "ファイル/abcdef"
    place.mkdir()
    for name in "xy":
        (place / name).write_text(name)


def _one_more(out: Path) -> None:
    (out / "ファイル/abcdef").mkdir()
    (out / "ファイル/abcdef/x").write_text("x")


def _too_large(out: Path) -> None:
    (out / "tables/schema_version.jsonl").write_text(f'{{"version": {2**70}, "oldest_compatible": 0}}\n')


def _no_object(out: Path) -> None:
    (out / "tables/schema_version.jsonl").write_text("7\n")


@pytest.mark.parametrize("harm", [_link, _way_out, _two, _one_more, _too_large, _no_object])
def test_an_export_that_somebody_has_changed_makes_no_node_and_writes_nowhere_else(
    harm: Callable[[Path], None], desk: Desk
) -> None:
    harm(desk.folder / "out")
    desk.types("import", str(desk.folder / "out"), str(desk.folder / "new"))
    assert not (desk.folder / "new").exists()
    assert not (desk.folder / "evil").exists()


def test_what_desktops_leave_in_folders_does_no_harm(desk: Desk) -> None:
    for name in (".DS_Store", "Thumbs.db", "._x", "desktop.ini"):
        (desk.folder / "out/ファイル" / name).write_text("x")
    assert take_in(desk.folder / "out", desk.folder / "new", SystemClock()).files == 0


# ---- what people read ------------------------------------------------------------------------------------------------


def test_sheets_name_people_and_not_their_numbers(desk: Desk) -> None:
    with sqlite3.connect(desk.folder / "node/kairan.db") as database:
        for statement in PEOPLE:
            database.execute(statement)
    database.close()
    export(desk.settings, desk.folder / "node/kairan.toml", desk.folder / "new", SystemClock())
    [said] = sheet(desk, "同意.csv")
    assert (said["氏名"], said["文書"]) == ("佐藤 花子", "privacy")
    [seen] = sheet(desk, "名簿を見た人.csv")
    assert seen["見た人"] == "佐藤 花子"
    names = {file.name for file in (desk.folder / "new/予定").iterdir()}
    assert len({name.casefold() for name in names}) == len(names) == 4, "none over another, on no disk"
    assert all(ITEM[17:-15].encode() in (desk.folder / "new/予定" / name).read_bytes() for name in names - {"行事.ics"})


ITEM = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:一行目\u2028二行目\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
HANAKO = "@hanako:sakura.example"
PEOPLE = (
    "INSERT INTO blocks VALUES ('b', '1班', 1)",
    "INSERT INTO households VALUES ('h', 'b', '佐藤', '', 1, 'both')",
    f"INSERT INTO persons VALUES ('p', 'h', '佐藤 花子', '', '', 0, 1, '{HANAKO}')",
    f"INSERT INTO consents VALUES ('{HANAKO}', 'privacy', '1', 0)",
    f"INSERT INTO access_log VALUES ('1', 0, '{HANAKO}', '名簿')",
    *(f"INSERT INTO calendars VALUES ({number}, '{HANAKO}', '{name}', 'VEVENT', 1, 0, 0, 0)"
      for number, name in enumerate(("a:b", "a*b", "A:B"))),
    *(f"INSERT INTO calendar_items VALUES ({number}, 'x', 'u', 'e', 1, 1, 0, 0, 0, 1, CAST('{ITEM}' AS BLOB))"
      for number in range(3)),
)


def sheet(desk: Desk, name: str) -> list[Mapping[str, str]]:
    with (desk.folder / "new/表" / name).open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))
