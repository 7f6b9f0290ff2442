"""What is said on the board and in the gallery is what docs/events/ describes."""

from __future__ import annotations

import orjson
import pytest
from jsonschema import Draft202012Validator

from server.association.board.contents import POST, REQUEST, RULES, post_content, request_content, rules_content
from server.association.board.model import Category, Post, Rules, State, Writing
from server.association.gallery.contents import ALBUM, album_content
from server.association.gallery.model import Album
from tests.architecture.source import ROOT
from tests.association.neighbours import PHOTO

_GIFT = Writing(category=Category.GIVE, title="机", text="80センチ", place="1班", photos=(PHOTO,))


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads((ROOT / f"docs/events/{name}.schema.json").read_bytes()))


@pytest.mark.parametrize("state", [State.OPEN, State.PROMISED, State.HANDED_OVER])
def test_a_post_is_as_documented(state: State) -> None:
    schema(POST).validate(post_content("abc", _GIFT, state)[POST])
    schema(POST).validate(post_content("abc", _GIFT, anonymous=True)[POST])


def test_requests_rules_and_albums_are_as_documented() -> None:
    post = Post("abc", "$e", "@a:b.example", _GIFT)
    content = request_content(post, "@c:b.example", "<b>きょう</b>")
    schema(REQUEST).validate(content[REQUEST])
    assert "<b>" not in content["formatted_body"]
    schema(RULES).validate(rules_content(Rules(True, True, frozenset(Category))))
    schema(ALBUM).validate(album_content(Album("abc", "夏まつり", "8月9日"))[ALBUM])
