"""``kairan export``: everything that an association has, in open formats, to look at or to go elsewhere with.

A folder with

* ``はじめに.txt``: what is what;
* ``読む/``: a copy of all rooms for any browser; ``表/``: sheets (CSV) of the roster, circulars, answers, consents;
* ``予定/``: calendars (iCalendar); ``ファイル/``: what people have uploaded, under their names;
* ``events.jsonl``: every event of every room; ``tables/``: every row of every table, from which ``kairan import``
  makes a node with the same counts; ``about.json`` and ``node/``: what else that takes.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from server.association.gatherings.book import GatheringBook
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.gatherings_store import load_gatherings
from server.config import Settings
from server.config.values import SQLITE
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.operation import description
from server.operation.about_person_store import rows_about, someone_called
from server.operation.backup import KEY_NAME, SETTINGS_NAME, TEXTS_NAME, require_own_user, snapshot_of
from server.operation.copy_to_read import write_copy
from server.operation.readable_store import (
    calendars_of,
    events_in,
    media_of,
    names_of,
    rooms_of,
)
from server.operation.restore import bring_up_to_date
from server.operation.sheets_store import SHEETS, names_of_all
from server.operation.snapshot_store import tables_of
from server.operation.tables_store import Tables, reading
from server.storage.database import Database

Json = dict[str, Any]

TABLES_NAME: Final = "tables"
FILES_NAME: Final = "ファイル"
NODE_NAME: Final = "node"
_LOOKS_LIKE_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LINE_END: Final = re.compile(r"\r?\n")  # str.splitlines would break lines that hold U+2028, too
_UNSAFE: Final = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
_INTRODUCTION: Final = """\
{name}（{server_name}）の すべての データです。

読む/index.html   話したこと、知らせたこと。ブラウザで 読めます。
表/               名簿、回覧、アンケート、安否確認、同意など。表計算ソフトで 開けます。
予定/             カレンダー（iCalendar）。
ファイル/         写真や 書類。

events.jsonl, tables/, node/, about.json は、ほかの 機械に 引っこすための ものです（kairan import）。

名前や 電話番号、ほかの人に 見せない話も 入っています。鍵のかかる ところに しまってください。
node/ を もっている人は、この会の サーバーの ふりが できます。ひとに わたさないでください。
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows of all tables, events, files, and messages in the copy to read."""

    folder: Path
    rows: int
    events: int
    files: int
    messages: int


def export(settings: Settings, config: Path, folder: Path, clock: Clock) -> Exported:
    """Write everything into the new folder ``folder``. The node may run. Raises ``Refused``; nothing is there then."""
    require_own_user(settings.data_dir)
    with _written_whole(folder) as part:
        part.mkdir(mode=0o700, parents=True)
        done = _export(settings, config, part, clock)
    return replace(done, folder=folder)


@contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """A file or folder that has its name only when it is whole; nothing is there otherwise."""
    part = target.with_name(target.name + ".part")
    if target.exists():
        raise Refused(f"{target} is there already; nothing was changed.")
    if part.exists():
        raise Refused(f"{part} is there, of an export that broke off or that somebody makes now; remove it first.")
    try:
        yield part
        part.rename(target)
    except OSError as fault:
        place = fault.filename or target.parent
        raise Refused(f"The export could not be written: {place}: {fault.strerror or fault}.") from fault
    finally:
        _remove(part)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink()


def _export(settings: Settings, config: Path, folder: Path, clock: Clock) -> Exported:
    with _snapshot_of_today(settings) as snapshot, reading(snapshot) as tables:
        files = _write_files(tables, settings.media_dir, folder)
        _write_sheets(tables, folder / "表")
        _write_calendars(tables, snapshot, folder / "予定")
        names = names_of(tables)
        rooms = ((room, events_in(tables, room)) for room in rooms_of(tables, names))
        messages = write_copy(folder / "読む", settings.association.name, rooms, names, files)
        events = _write_lines(folder / "events.jsonl", events_in(tables))
        rows = _write_tables(tables, tables_of(snapshot), folder / TABLES_NAME)
        _write_node(settings, config, folder / NODE_NAME)
        about = {**description.describe(settings, snapshot, clock.now_ms()), "files": len(files)}
        (folder / description.NAME).write_bytes(description.written(about))
        introduction = _INTRODUCTION.format(name=settings.association.name, server_name=settings.server_name)
        (folder / "はじめに.txt").write_text(introduction, "utf-8")
    return Exported(folder, rows, events, len(files), messages)


def export_person(settings: Settings, who: str, file: Path) -> int:
    """Write everything in which one person stands into the new file ``file``, a JSON object by table; answers how many
    rows. Without passwords, tokens and the like. ``who`` is an account, or a name on the roster. Raises ``Refused``.
    """
    require_own_user(settings.data_dir)
    if not file.parent.is_dir():
        raise Refused(f"There is no folder {file.parent}.")
    with _written_whole(file) as part:
        with _snapshot_of_today(settings) as snapshot, reading(snapshot) as tables:
            someone = someone_called(tables, who, settings.server_name)
            told = rows_about(tables, tables_of(snapshot), someone)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(orjson.dumps({"user_id": someone.user_id, "tables": told}, option=orjson.OPT_INDENT_2))
    return sum(map(len, told.values()))


@contextmanager
def _snapshot_of_today(settings: Settings) -> Iterator[Path]:
    """With today's schema, also of a node that this release has not run yet: the questions are today's."""
    with snapshot_of(settings) as snapshot:
        asyncio.run(bring_up_to_date(snapshot))
        yield snapshot


def _write_files(tables: Tables, media: Path, folder: Path) -> dict[str, str]:
    """The content of every file; answers their paths in the export by id."""
    (folder / FILES_NAME).mkdir()
    written = {}
    for media_id, name, _kind in media_of(tables):
        target = folder / FILES_NAME / media_id / (_UNSAFE.sub("_", name)[:80].strip(". ") or "file")
        for source in (media / "content" / media_id[:2] / media_id[2:], media / "unsettled" / media_id):
            if source.is_file():
                target.parent.mkdir()
                shutil.copyfile(source, target)
                written[media_id] = quote(f"{FILES_NAME}/{media_id}/{target.name}")
                break
    return written


def _write_sheets(tables: Tables, folder: Path) -> None:
    folder.mkdir()
    called = {**names_of(tables), **names_of_all(tables)}
    for sheet in SHEETS:
        (folder / sheet.name).write_bytes(_sheet(sheet.headings.values(), sheet.rows(tables, called)))


def _sheet(headings: Iterable[str], rows: Iterable[list[str]]) -> bytes:
    """UTF-8 with the mark that Excel wants; no cell is taken for a formula (OWASP, "CSV Injection")."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    for cells in rows:
        writer.writerow(["'" + cell if cell.startswith(_LOOKS_LIKE_A_FORMULA) else cell for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _write_calendars(tables: Tables, snapshot: Path, folder: Path) -> None:
    folder.mkdir()
    book = asyncio.run(_gatherings(snapshot))
    shared = [as_ics(gathering).encode() for gathering in book.all()]
    (folder / "行事.ics").write_bytes(_one_calendar(shared))
    taken: Counter[str] = Counter()
    for owner, name, items in calendars_of(tables):
        title = _UNSAFE.sub("_", f"{owner.partition(':')[0].lstrip('@')}-{name}")
        taken[title.casefold()] += 1
        number = f" {taken[title.casefold()]}" if taken[title.casefold()] > 1 else ""
        (folder / f"{title}{number}.ics").write_bytes(_one_calendar(items))


async def _gatherings(snapshot: Path) -> GatheringBook:
    database, book = Database(SQLITE + str(snapshot), readers=1), GatheringBook()
    try:
        await load_gatherings(database, book)
    finally:
        await database.close()
    return book


def _one_calendar(objects: list[bytes]) -> bytes:
    """Many calendar objects as one file; time zones that several bring along stand there once."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kairan//Export//JA"]
    zones: set[str] = set()
    for data in objects:
        for kind, component in _components(data.decode("utf-8", "replace")):
            if kind != "VTIMEZONE" or component not in zones:
                zones.add(component)
                lines.append(component)
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


def _components(text: str) -> Iterator[tuple[str, str]]:
    """The components right below VCALENDAR, whole."""
    kind, kept = "", []
    for line in _LINE_END.split(text):
        if not kind and line.startswith("BEGIN:") and line != "BEGIN:VCALENDAR":
            kind = line.removeprefix("BEGIN:")
        if kind:
            kept.append(line)
        if line == f"END:{kind}":
            yield kind, "\r\n".join(kept)
            kind, kept = "", []


def _write_tables(tables: Tables, names: list[str], folder: Path) -> int:
    folder.mkdir()
    return sum(_write_lines(folder / f"{table}.jsonl", tables.rows(table)) for table in names)


def _write_lines(file: Path, rows: Iterator[Json]) -> int:
    count = 0
    with file.open("wb") as out:
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the answer
            out.write(orjson.dumps(row) + b"\n")
    return count


def _write_node(settings: Settings, config: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    shutil.copyfile(config, folder / SETTINGS_NAME)
    shutil.copyfile(settings.signing_key_file, folder / KEY_NAME)
    if settings.consent.folder is not None:
        shutil.copytree(settings.consent.folder, folder / TEXTS_NAME)
