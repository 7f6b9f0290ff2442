"""What can be measured of the look without a browser: contrast of the colours, nothing inline, no strange hosts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_WEB = Path(__file__).parents[2] / "server/web"
_STYLE = (_WEB / "static/style.css").read_text("utf-8")
_PAIRS = [
    ("ink", "paper"), ("ink", "soft"), ("ink", "good"), ("ink", "warn"), ("quiet", "paper"), ("link", "paper"),
    ("on-main", "main"), ("on-contact", "contact"), ("on-help", "help"), ("quiet", "good"), ("link", "soft"),
]


def themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", _STYLE, re.DOTALL)
    colours = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
    return {"light": dict(colours.findall(light)), "dark": dict(colours.findall(dark))}


def luminance(colour: str) -> float:
    """WCAG 2.1, "relative luminance"."""
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), _PAIRS)
def test_letters_stand_out_seven_to_one(theme: str, front: str, back: str) -> None:
    colours = themes()[theme]
    bright, dim = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 7


def test_both_themes_have_the_same_colours() -> None:
    assert themes()["light"].keys() == themes()["dark"].keys()


@pytest.mark.parametrize("template", sorted((_WEB / "templates").glob("*.html")), ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script_and_sends_nobody_away(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:|\|safe", text)
    assert "https://" not in text
    assert "http://" not in text


@pytest.mark.parametrize("template", sorted((_WEB / "templates").glob("*.html")), ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_its_proof(template: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text("utf-8"), re.DOTALL):
        assert "proof()" in form
