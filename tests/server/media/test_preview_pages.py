"""What a page says of itself, in whatever letters and however broken."""

from __future__ import annotations

from typing import Any

import pytest

from server.foundation.errors import Refused
from server.media.page_text import decoded, squeezed
from server.media.preview_job import page, picture, text
from tests.server.media.pictures import picture as picture_of
from tests.server.media.pictures import png_claiming

TITLE = "桜町町内会からのお知らせ"


def read(html: str | bytes, content_type: str = "text/html") -> dict[str, Any]:
    data = html.encode() if isinstance(html, str) else html
    values, rest = page({"content_type": content_type}, data)
    assert rest == b""
    return values


@pytest.mark.parametrize("codec", ["utf-8", "shift_jis", "euc_jp", "iso2022_jp"])
@pytest.mark.parametrize("by", ["header", "meta", "old meta", "nothing"])
def test_japanese_pages_are_read_in_all_their_encodings(codec: str, by: str) -> None:
    name = {"utf-8": "UTF-8", "shift_jis": "Shift_JIS", "euc_jp": "EUC-JP", "iso2022_jp": "ISO-2022-JP"}[codec]
    meta = {
        "meta": f'<meta charset="{name}">',
        "old meta": f"<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset={name}'>",
    }.get(by, "")
    html = f"<html><head>{meta}<title>{TITLE}</title></head><body>回覧板です。ゴミの日は火曜日。</body></html>"
    told = read(html.encode(codec), f"text/html; charset={name}" if by == "header" else "text/html")
    assert told["og"]["og:title"] == TITLE
    assert told["og"]["og:description"] == "回覧板です。ゴミの日は火曜日。"


@pytest.mark.parametrize(("data", "content_type", "text"), [
    (b"\xef\xbb\xbf\xe6\xa1\x9c", "text/html; charset=Shift_JIS", "桜"),
    ("桜".encode("utf-16"), "text/html", "桜"),
    ("①髙﨑".encode("cp932"), "text/html; charset=shift_jis", "①髙﨑"),
    (b"caf\xe9", "text/html; charset=iso-8859-1", "café"),
    (b"caf\xe9", "text/html; charset=zlib", "caf\ufffd"),
    ("桜".encode(), "text/html; charset=no-such-thing", "桜"),
    (b"\xff\xff\xff\xe9", "text/html; charset=utf-8", "\ufffd" * 4),
    ("桜".encode()[:-1], "", "\ufffd"),
    (b"", "", ""),
])
def test_letters_are_read_as_browsers_read_them(data: bytes, content_type: str, text: str) -> None:
    if "zlib" in content_type:  # a codec that is no encoding is not looked up; what then is guessed does not matter
        assert decoded(data, content_type).startswith("caf")
    else:
        assert decoded(data, content_type) == text


@pytest.mark.parametrize("codec", ["hex", "zlib", "rot13", "unicode_escape", "idna", "punycode", "utf-7", "\x00"])
def test_codecs_that_are_no_letters_are_never_used(codec: str) -> None:
    data = f'<meta charset="{codec}"><title>\\u0041+AGE-</title>'.encode()
    assert "\\u0041+AGE-" in decoded(data, f"text/html; charset={codec}")


def test_opengraph_comes_first_and_is_told_as_it_is() -> None:
    told = read(
        '<head><title>plain</title><meta name="description" content="plain">'
        '<meta property="og:title" content=" the\n title "><meta property="og:description" content="about">'
        '<meta name="twitter:title" content="bird"><meta property="og:title" content="second">'
        '<meta property="og:video" content="https://v.example/v.mp4"><meta property="og:image:alt" content="x">'
        '<meta property="og:image" content="a.png"><meta property="og:empty" content=" ">'
    )
    assert told["og"] == {
        "og:title": "the title", "og:description": "about", "og:video": "https://v.example/v.mp4",
    }
    assert told["image"] == "a.png"


@pytest.mark.parametrize(("html", "title", "about"), [
    ('<meta name="twitter:title" content="T"><meta name="twitter:description" content="D"><title>x</title>', "T", "D"),
    ('<title>T</title><meta name="Description" content="D">', "T", "D"),
    ("<title>T</title><body><nav>menu</nav><script>var x</script><p>D</p><p>E</p>", "T", "D E"),
    ("<body><header><h1>T</h1></header><p>D</p></body>", "T", "D"),
    ("<body><svg><title>icon</title></svg>", "icon", ""),
    ("<title>T</title><title>second</title>", "T", ""),
    ("<title>a &amp; b &lt;b&gt;</title>", "a & b <b>", ""),
])
def test_what_is_missing_is_found_elsewhere(html: str, title: str, about: str) -> None:
    told = read(html)["og"]
    assert told.get("og:title", "") == title
    assert told.get("og:description", "") == about


@pytest.mark.parametrize(("html", "image"), [
    ('<meta property="og:image:secure_url" content="s"><meta property="og:image" content="i">', "s"),
    ('<meta property="og:image:url" content="u">', "u"), ('<meta name="twitter:image" content="t">', "t"),
    ('<link rel="image_src" href="l">', "l"), ('<img src="x">', ""),
])
def test_the_picture_is_the_one_that_the_page_names(html: str, image: str) -> None:
    assert read(html)["image"] == image


def test_the_base_of_a_page_is_told() -> None:
    assert read('<base href="https://other.example/"><base href="second">')["base"] == "https://other.example/"


@pytest.mark.parametrize("html", [
    "", " ", "\x00\x01\x02", "<", "<<<<>>>>", "<html", "<title>", "<meta property=og:title", "</p></p></p>",
    "<!--", "<![CDATA[", "<?xml version='1.0'?>", "&#xD800;&#0;&#1114112;", "<title>\ud7ff</title>",
    "<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><title>&c;</title>",
    "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><title>&x;</title>",
])
def test_broken_pages_say_little_and_break_nothing(html: str) -> None:
    assert "root:" not in str(read(html))


@pytest.mark.parametrize("html", [
    "<div>" * 200_000, "<a><b>" * 90_000 + "x", "<table><tr><td>" * 60_000, "<meta>" * 170_000,
    "<p " + "a=b " * 250_000 + ">", "&lt;" * 250_000, "<font><b>" * 100_000 + "</font>" * 1000,
    '<meta property="og:title" content="' + "あ" * 300_000 + '">',
    "".join(f'<meta property="og:x{number}" content="{"y" * 50}">' for number in range(10_000)),
])
def test_very_deep_and_very_long_pages_cost_little(html: str) -> None:
    told = read(html)
    assert len(str(told)) < 200_000
    assert len(told["og"]) < 70


def test_a_title_before_the_flood_is_told() -> None:
    assert read("<title>first</title>" + "<div>" * 200_000)["og"]["og:title"] == "first"


def test_long_texts_end_in_dots() -> None:
    assert squeezed("あ" * 20, 10) == "あ" * 9 + "…"
    assert squeezed(" a \n b ", 10) == "a b"


def test_a_text_is_shown_by_its_beginning() -> None:
    assert text({"content_type": "text/plain"}, "ごみの日\r\n火曜".encode("cp932"))[0] == {"text": "ごみの日 火曜"}


@pytest.mark.parametrize(("kind", "mime"), [
    ("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp"),
])
def test_a_picture_is_measured(kind: str, mime: str) -> None:
    assert picture({}, picture_of(kind, 30, 20))[0] == {"width": 30, "height": 20, "type": mime}


def test_a_huge_picture_is_measured_without_unpacking_it() -> None:
    assert picture({}, png_claiming(8_000, 8_000))[0]["width"] == 8_000


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(100), b"GIF89a", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        picture({}, data)
