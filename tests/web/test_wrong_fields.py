"""What is wrong with a form stands at the field that is wrong, too; what was typed stays. Without JavaScript."""

from __future__ import annotations

from tests.web.browser import Browser, PageRead
from tests.web.site import Site


def marked(page: PageRead) -> str:
    """The field that is marked as wrong; what describes it and where the summary leads are the same."""
    assert page.html.count("aria-invalid") == 1
    _, _, rest = page.html.partition('aria-describedby="e-')
    name = rest.partition('"')[0]
    assert f'id="e-{name}"' in page.html
    assert f'href="#f-{name}"' in page.html
    assert f'id="f-{name}"' in page.html
    assert page.html.count("autofocus") == 1
    return name


CASES: list[tuple[str, dict[str, str], str]] = [
    ("/desk/roster/new", {"name": " ", "kana": "さとう", "phone": "03-0000"}, "name"),
    ("/desk/roster/new", {"name": "山本 桜", "new_block": "3班", "phone": "0" * 61}, "phone"),
    ("/desk/roster/new", {"name": "山本 桜", "household": "あ" * 61}, "household"),
    ("/desk/polls/new", {"question": "", "choices": "赤\n白"}, "question"),
    ("/desk/polls/new", {"question": "何色ですか", "choices": "赤"}, "choices"),
    ("/desk/polls/new", {"question": "何色ですか", "choices": "赤\n白", "deadline": "きのう"}, "deadline"),
    ("/desk/polls/new", {"question": "何色ですか", "choices": "赤\n白", "audience": "blocks"}, "audience"),
    ("/desk/safety/new", {"title": "", "kind": "drill"}, "title"),
    ("/desk/safety/new", {"title": "訓練の 地震"}, "kind"),
    ("/desk/circulars/new", {"title": "", "text": "本文です", "step": "preview"}, "title"),
    ("/desk/gatherings/new", {"title": "まつり", "day": "x", "description": "中央公園で"}, "day"),
    ("/desk/facilities/new", {"name": "", "place": "中央"}, "name"),
    ("/desk/duties/new", {"title": "", "note": "掃除です", "first": "2030-01-01", "audience": "everyone"}, "title"),
    ("/desk/groups", {"name": "囲碁、将棋", "about": "毎週です"}, "name"),
    ("/board/new", {"title": "", "text": "つくえです"}, "title"),
    ("/groups/new", {"name": "将棋の会", "about": ""}, "about"),
    ("/hazards/new", {"kind": "tree", "place": "", "text": "枝が 折れています"}, "place"),
    ("/hazards/new", {"place": "桜公園", "text": "枝が 折れています"}, "kind"),
    ("/gallery/new", {"title": "", "note": "8月9日です"}, "title"),
    ("/talk", {"text": "あ" * 3_001}, "text"),
    ("/desk/links", {"code": "kairan-link:x"}, "code"),
    ("/desk/sharing", {"code": "kairan-share:x"}, "code"),
]


async def test_the_field_that_is_wrong_is_marked_and_nothing_typed_is_lost(chair: Browser) -> None:
    for address, typed, wrong in CASES:
        await chair.get(address)
        action = address + ("/look" if "code" in typed else "")
        page = await chair.submit(action, typed)
        assert (page.status, marked(page)) == (400, wrong), (address, typed)
        fields = dict(page.form(action).fields)
        for name, value in typed.items():
            if name not in ("step", "audience", "day") and value.strip():
                assert fields[name] == value, (address, name)


async def test_where_no_field_is_wrong_the_reason_has_the_focus(here: Site, chair: Browser) -> None:
    block = here.block("1班")
    page = await chair.get(f"/desk/roster/blocks/{block}")
    assert ("aria-invalid" in page.html, "autofocus" in page.html) == (False, False)
    await here.node.association.editor.change_block(here.chief, block, name="さくら班")
    page = await chair.submit(f"/desk/roster/blocks/{block}", {"name": "うめ班"})
    assert page.status == 412
    assert "aria-invalid" not in page.html
    assert 'role="alert" tabindex="-1" autofocus' in page.html
