"""The words of roster files: how officers head their columns, and what they write in them."""

from __future__ import annotations

import re
from typing import Final

from server.association.members.model import Channel, Role
from server.association.members.names import folded, tidy
from server.foundation.errors import BadRequest

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "id": ("ID", "管理ID"),
    "block": ("班", "班名", "組", "組名", "隣組", "ブロック", "地区", "班・組", "block"),
    "household": ("世帯", "世帯名", "世帯主", "世帯主名", "世帯主氏名", "household"),
    "household_number": ("世帯番号", "世帯No", "世帯No.", "世帯ID", "番地", "整理番号", "部屋番号"),
    "name": ("氏名", "名前", "お名前", "会員名", "会員氏名", "name"),
    "family_name": ("姓", "名字", "苗字", "氏"),
    "given_name": ("名",),
    "kana": ("ふりがな", "フリガナ", "かな", "氏名かな", "氏名カナ", "読み", "よみ", "よみがな", "読み仮名", "kana"),
    "phone": ("電話", "電話番号", "TEL", "連絡先", "携帯", "携帯電話", "phone"),
    "channel": ("連絡方法", "配布方法", "回覧方法", "受け取り方", "受取方法", "配布"),
    "wants_paper": ("紙希望", "紙の希望", "紙を希望"),
    "roles": ("役職", "役", "役割", "role"),
    "groups": ("グループ", "所属", "部会", "サークル", "group"),
}
COLUMNS: Final[dict[str, str]] = {folded(alias): name for name, aliases in _ALIASES.items() for alias in aliases}

_CHANNELS: Final[dict[str, Channel]] = {
    **dict.fromkeys(("紙", "紙のみ", "回覧", "paper"), Channel.PAPER),
    **dict.fromkeys(("デジタル", "デジタルのみ", "電子", "電子回覧板", "アプリ", "スマホ", "digital"), Channel.DIGITAL),
    **dict.fromkeys(("紙とデジタル", "両方", "どちらも", "紙・デジタル", "both"), Channel.BOTH),
}
_ROLES: Final[dict[str, Role]] = {
    **dict.fromkeys(("会長", "町内会長", "自治会長"), Role.CHAIR),
    **dict.fromkeys(("役員", "副会長", "会計", "書記", "監事", "監査", "部長", "副部長", "理事"), Role.OFFICER),
    **dict.fromkeys(("班長", "組長", "隣組長"), Role.BLOCK_LEADER),
    **dict.fromkeys(("デジタル担当", "ICT担当", "ICT推進委員"), Role.DIGITAL),
    **dict.fromkeys(("補助", "補助者", "サポーター"), Role.HELPER),
}
_NO_ROLE: Final = ("なし", "会員", "一般", "-", "ー")
_YES: Final = ("○", "〇", "◯", "はい", "有", "あり", "希望", "1", "yes", "y", "true")
_NO: Final = ("×", "いいえ", "無", "なし", "0", "no", "n", "false")
_BETWEEN: Final = re.compile(r"[、,，;；/／|]")
_BETWEEN_ROLES: Final = re.compile(r"[、,，;；/／|・\s]")

_CHANNELS_FOLDED: Final = {folded(word): channel for word, channel in _CHANNELS.items()}
_ROLES_FOLDED: Final = {folded(word): role for word, role in _ROLES.items()}
_NO_ROLE_FOLDED: Final = frozenset(map(folded, _NO_ROLE))
_FLAGS_FOLDED: Final = {
    **{folded(word): True for word in _YES}, **{folded(word): False for word in _NO},
}


def read_channel(text: str) -> Channel | None:
    """紙 / デジタル / 両方; ``None`` for nothing; raises ``BadRequest``."""
    if not text:
        return None
    if folded(text) not in _CHANNELS_FOLDED:
        raise BadRequest(f"連絡方法「{_quoted(text)}」がわかりません（紙・デジタル・両方のどれかです）")
    return _CHANNELS_FOLDED[folded(text)]


def read_flag(text: str) -> bool | None:
    """○ / ×; ``None`` for nothing; raises ``BadRequest``."""
    if not text:
        return None
    if folded(text) not in _FLAGS_FOLDED:
        raise BadRequest(f"紙希望「{_quoted(text)}」がわかりません（○か×を書いてください）")
    return _FLAGS_FOLDED[folded(text)]


def read_roles(text: str) -> tuple[Role, ...]:
    """会長, 役員 … in any number; raises ``BadRequest`` for a word that gives no rights that we know."""
    found: dict[Role, None] = {}
    for word in filter(None, map(folded, _BETWEEN_ROLES.split(text))):
        if word in _NO_ROLE_FOLDED:
            continue
        if word not in _ROLES_FOLDED:
            raise BadRequest(
                f"役職「{_quoted(text)}」がわかりません（会長・役員・班長・デジタル担当・補助のどれかです）"
            )
        found[_ROLES_FOLDED[word]] = None
    return tuple(found)


def split_list(text: str) -> tuple[str, ...]:
    """Names of groups, in any number, each once."""
    return tuple(dict.fromkeys(filter(None, map(tidy, _BETWEEN.split(text)))))


def is_one_name(text: str) -> bool:
    """Whether a group called so can stand in a list of groups."""
    return _BETWEEN.search(text) is None


def _quoted(text: str) -> str:
    return text if len(text) <= 20 else text[:20] + "…"
