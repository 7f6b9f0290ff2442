"""The lists of 5374.jp are read as they are found; days follow from them, breaks, holidays and exceptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.garbage.actions import is_holiday
from server.association.garbage.model import BlockPlan, DayOff, kinds_on, read_rule
from server.association.garbage.open_data import AreaList, read_areas, read_things
from server.calendars.japanese_holidays import holiday, holidays_of
from server.foundation.errors import InvalidParam
from tests.architecture.source import ROOT

DATA = ROOT / "tests/data/garbage"


def city(name: str) -> AreaList:
    found = {file.stem: file.read_bytes() for file in (DATA / name).glob("*.csv")}
    return read_areas(found["area_days"], found["center"], found.get("remarks", b""))


def plan(read: AreaList, name: str) -> BlockPlan:
    area = next(item for item in read.areas if item.name == name)
    return BlockPlan("b", area.name, area.kinds, read.breaks.get(area.center, ()), area.remarks).with_rules()


def on(found: BlockPlan, *day: int, changes: tuple[DayOff, ...] = ()) -> list[str]:
    return kinds_on(found, changes, date(*day), is_holiday)


@pytest.mark.parametrize(("name", "areas", "warnings"), [
    ("kawasaki", 263, 0), ("kyotango", 169, 0), ("saga", 312, 0), ("template_kanazawa", 1, 0), ("synthetic_edge", 3, 2),
])  # fmt: skip
def test_the_lists_of_cities_are_read(name: str, areas: int, warnings: int) -> None:
    read = city(name)
    assert (len(read.areas), len(read.warnings)) == (areas, warnings)
    assert all(plan(read, area.name).rules for area in read.areas)


def test_two_parts_of_a_town_with_one_name_are_told_apart() -> None:
    found = {area.name: dict(area.kinds)["普通ごみ"] for area in city("kawasaki").areas if "梶ヶ谷" in area.name}
    assert found == {"梶ヶ谷": "火 金", "梶ヶ谷（2）": "月 木"}


def test_days_are_those_of_the_list() -> None:
    read = city("synthetic_edge")
    first, second, third = (plan(read, area.name) for area in read.areas)
    assert on(first, 2026, 12, 3) == ["燃やすごみ"]
    assert on(first, 2026, 12, 31) == []  # a Thursday, and the center rests
    assert on(first, 2027, 1, 4) == ["燃やすごみ"]
    assert on(first, 2026, 12, 9) == ["金属"]
    assert on(first, 2026, 11, 11) == []  # only in even months
    assert on(first, 2026, 12, 5) == ["剪定枝"]
    assert on(first, 2027, 1, 29) == ["古紙"]  # a fifth Friday
    assert on(first, 2027, 1, 22) == []
    assert first.remarks == ("第5金曜日がない月は収集なし",)
    assert on(second, 2026, 12, 1) == ["燃やすごみ"]
    assert on(third, 2026, 12, 26) == ["金属"]
    assert {text.partition("「")[2] for text in read.warnings} == {"第2水」が読めません", "20270229」が読めません"}
    kyotango = plan(city("kyotango"), "峰山町元町区")
    assert on(kyotango, 2026, 11, 3) == ["不燃ごみ"]
    assert on(kyotango, 2026, 11, 25) == ["容器包装プラスチック", "ペットボトル"]


def test_a_holiday_is_left_out_where_the_city_rests() -> None:
    usual = plan(city("template_kanazawa"), "片町")
    assert on(usual, 2026, 11, 23) == ["燃やすごみ"]
    assert on(replace(usual, on_holidays=False).with_rules(), 2026, 11, 23) == []


def test_an_exception_goes_before_the_rule_and_can_be_taken_back() -> None:
    found = plan(city("template_kanazawa"), "片町")
    moved = DayOff("x", "燃やすごみ", date(2026, 11, 26), date(2026, 11, 27))
    assert on(found, 2026, 11, 26, changes=(moved,)) == []
    assert on(found, 2026, 11, 27, changes=(moved,)) == ["燃やすごみ"]
    assert on(found, 2026, 11, 26, changes=(replace(moved, is_over=True),)) == ["燃やすごみ"]
    besides = DayOff("y", "びん", None, date(2026, 12, 31))
    assert on(found, 2026, 12, 31, changes=(besides,)) == ["燃やすごみ", "びん"]


@pytest.mark.parametrize("areas", [b"", b"\xff\xfe\x00", b"a,b\n1,2", "地名,センター\n片町,x".encode(),
                                   "地名,センター,可燃\n,,\n".encode()])  # fmt: skip
def test_what_is_no_list_is_refused(areas: bytes) -> None:
    with pytest.raises(InvalidParam):
        read_areas(areas)


def test_shift_jis_is_read_and_breaks_that_cannot_be_are_told() -> None:
    centers = "名,始,終\n東,2026/1/2,2025/1/1\n東,x,y\n".encode()
    read = read_areas("地名,センター,可燃\n片町,東,月".encode("cp932"), centers)
    assert len(read.warnings) == 2
    assert read.areas[0].name == "片町"


def test_things_are_read() -> None:
    things = read_things((DATA / "template_kanazawa/target.csv").read_bytes())
    assert things[1].notice == "紙製のものは燃やすごみ"
    with pytest.raises(InvalidParam):
        read_things(b"type,name\n")


@given(st.text(max_size=40))
def test_no_cell_breaks_the_reader(cell: str) -> None:
    rule, _unread = read_rule(cell)
    rule.holds(date(2026, 1, 1))


@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    try:
        read_areas(data, data, data)
    except InvalidParam:
        return


def test_holidays_are_those_of_the_law() -> None:
    assert sorted(day.isoformat()[5:] for day in holidays_of(2026)) == [
        "01-01", "01-12", "02-11", "02-23", "03-20", "04-29", "05-03", "05-04", "05-05", "05-06", "07-20", "08-11",
        "09-21", "09-22", "09-23", "10-12", "11-03", "11-23",
    ]
    assert holiday(date(2026, 9, 22)) == "国民の休日"
    assert holiday(date(2026, 5, 6)) == "振替休日"
    assert holiday(date(2024, 2, 12)) == "振替休日"
    assert holiday(date(2021, 7, 23)) == "スポーツの日"
    assert (holiday(date(2021, 10, 11)), holiday(date(2019, 1, 1))) == ("", "")
    assert [holidays_of(year)[date(year, 3, day)] for year, day in ((2027, 21), (2028, 20))] == ["春分の日"] * 2


def test_a_year_has_every_weekly_day(tmp_path: Path) -> None:
    found = plan(city("template_kanazawa"), "片町")
    days = [date(2027, 1, 1) + timedelta(days=count) for count in range(365)]
    assert sum("燃やすごみ" in kinds_on(found, (), day, is_holiday) for day in days) == 104
    assert sum("びん" in kinds_on(found, (), day, is_holiday) for day in days) == 12
