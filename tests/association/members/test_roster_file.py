"""Reading roster files: whatever officers have, nothing good is lost and nothing bad gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.model import Channel, Role
from server.association.members.roster import MAX_LINES, RosterLine, parse_roster
from server.foundation.errors import BadRequest, Refused, TooLarge

HEADER = "班,世帯番号,氏名,ふりがな,電話,連絡方法,役職,グループ\n"


def _only(text: str) -> RosterLine:
    roster = parse_roster(text.encode())
    assert not roster.bad
    (line,) = roster.lines
    return line


def _complaint(row: str) -> str:
    roster = parse_roster((HEADER + row + "\n1班,9,よい人,,,,,\n").encode())
    (bad,) = roster.bad
    assert bad.number == 2
    assert [line.name for line in roster.lines] == ["よい人"]
    return bad.reason


def test_a_block_and_a_name_are_enough() -> None:
    assert _only("班,氏名\n1班,佐藤 花子\n") == RosterLine(2, "1班", "佐藤 花子")


def test_all_columns_are_read() -> None:
    line = _only(HEADER + "1班,3,佐藤 花子,さとう はなこ,090-1234-5678,両方,会長・班長,子ども会、防災部\n")
    assert line == RosterLine(
        2, "1班", "佐藤 花子", household_number="3", kana="さとう はなこ", phone="090-1234-5678", channel=Channel.BOTH,
        roles=(Role.CHAIR, Role.BLOCK_LEADER), groups=("子ども会", "防災部"),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_files_of_all_spreadsheets_are_read(encoding: str, ending: str) -> None:
    text = ending.join(["班,氏名", "１班,髙橋　一郎", "２班,森 鷗外" if encoding != "cp932" else "２班,森 外", ""])
    roster = parse_roster(text.encode(encoding))
    assert [line.block for line in roster.lines] == ["１班", "２班"]
    assert roster.lines[0].name == "髙橋 一郎"


@pytest.mark.parametrize("header", ["組名\tお名前", "班;名前", "ﾌﾞﾛｯｸ,会員氏名", " 班 , 氏 名 ", '"班","氏名"'])
def test_headings_and_separators_may_differ(header: str) -> None:
    separator = "\t" if "\t" in header else ";" if ";" in header else ","
    assert _only(f"{header}\n1班{separator}佐藤\n").name == "佐藤"


def test_family_and_given_name_may_stand_apart() -> None:
    assert _only("班,姓,名\n1班,佐藤,花子\n").name == "佐藤 花子"


def test_titles_above_the_headings_and_empty_lines_do_no_harm() -> None:
    line = _only("桜町町内会 名簿,,\n令和6年,,\n班,氏名,備考\n\n1班,佐藤,\n,,\n")
    assert (line.number, line.name) == (5, "佐藤")


def test_unknown_columns_are_named() -> None:
    assert parse_roster("班,氏名,血液型\n1班,佐藤,A\n".encode()).ignored_columns == ["血液型"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",1,佐藤,,,,,", "班が空です"),
        ("1班,1,,,,,,", "氏名が空です"),
        ("1班", "氏名が空です"),
        (f"1班,1,{'あ' * 61},,,,,", "氏名が長すぎます（60文字まで）"),
        ("1班,1,佐藤,,,伝書鳩,,", "連絡方法「伝書鳩」がわかりません（紙・デジタル・両方のどれかです）"),
        ("1班,1,佐藤,,,,大統領,", "役職「大統領」がわかりません（会長・役員・班長・デジタル担当・補助のどれかです）"),
        ('1班,1,"佐藤,,,,,', '引用符（"）が閉じていません'),
    ],
)
def test_a_bad_line_is_explained_and_the_next_one_is_taken(row: str, reason: str) -> None:
    assert _complaint(row) == reason


def test_broken_letters_spoil_only_their_line() -> None:
    good, broken = "班,氏名\n1班,佐藤\n".encode(), b"2\x94\xc7,\x8d\xb2\xff\xfe\n"
    roster = parse_roster(good + broken + "3班,鈴木\n".encode())
    assert [line.name for line in roster.lines] == ["佐藤", "鈴木"]
    assert [(bad.number, bad.reason) for bad in roster.bad] == [(3, "文字がこわれていて読めません")]


def test_a_cell_with_line_breaks_is_one_cell() -> None:
    assert _only('班,氏名,備考\n1班,佐藤,"上の\n家"\n').name == "佐藤"


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02", b"PK\x03\x04rest", b"%PDF-1.7", "氏名,住所\n佐藤,東京\n".encode()]
)
def test_what_is_no_roster_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_roster(data)


def test_too_large_a_file_is_refused() -> None:
    with pytest.raises(TooLarge):
        parse_roster(b"x" * (5 * 2**20 + 1))
    with pytest.raises(TooLarge):
        parse_roster(("班,氏名\n" + "1,a\n" * MAX_LINES).encode())


@given(st.binary(max_size=400))
def test_no_bytes_lead_to_anything_but_a_roster_or_a_refusal(data: bytes) -> None:
    for prefix in (b"", "班,氏名,連絡方法,役職\n".encode(), "班,氏名\n".encode("cp932")):
        try:
            roster = parse_roster(prefix + data)
        except Refused:
            continue
        assert all(line.block and line.name for line in roster.lines)
        assert all(bad.reason for bad in roster.bad)


@given(st.lists(st.tuples(st.text(max_size=70), st.text(max_size=70)), max_size=20))
def test_every_line_is_either_taken_or_complained_about(rows: list[tuple[str, str]]) -> None:
    def quoted(text: str) -> str:
        plain = "".join(char for char in text if char.isprintable()).replace('"', '""')
        return f'"{plain}"'

    text = "班,氏名\n" + "".join(f"{quoted(block)},{quoted(name)}\n" for block, name in rows)
    roster = parse_roster(text.encode("utf-8", "replace"))
    numbers = {line.number for line in roster.lines} | {bad.number for bad in roster.bad}
    filled = {
        number for number, row in enumerate(rows, 2)
        if any("".join(char for char in cell if char.isprintable()).strip() for cell in row)
    }
    assert numbers <= set(range(2, len(rows) + 2))
    assert len(numbers) == len(roster.lines) + len(roster.bad)
    assert filled - numbers == set() or all(_invisible(rows[number - 2]) for number in filled - numbers)


def _invisible(row: tuple[str, str]) -> bool:
    """Only letters that nobody can see (private use, not assigned)."""
    return all(not char.isprintable() or not char.strip() or ord(char) > 0xE000 for cell in row for char in cell)
