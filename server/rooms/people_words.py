"""In which words a person is found: normal letters, so that はなこ, ハナコ and ﾊﾅｺ are one name. Pure."""

from __future__ import annotations

from typing import Final

from server.rooms.search_words import normal, words_of

# Katakana to hiragana, the iteration marks too; the length mark ー belongs to both.
_TO_HIRAGANA: Final = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
# Forms of one character in names, as family registers and phones write them.
_VARIANTS: Final = str.maketrans(
    "髙﨑濵濱邉邊齋齊斎澤廣嶋嶌櫻眞國德惠瀨槇藪", "高崎浜浜辺辺斉斉斉沢広島島桜真国徳恵瀬槙薮"
)
_MOST_TERM: Final = 256


def folded(text: str) -> str:
    """Capital and small, wide and narrow letters, both kana and variants of characters made one."""
    return normal(text).translate(_TO_HIRAGANA).translate(_VARIANTS)


def words_of_person(user_id: str, name: str) -> str:
    """What a search looks through: a line for the name, the name without spaces, the localpart and the user id."""
    shown, full = folded(name), folded(user_id)
    return "\n".join(dict.fromkeys((shown, shown.replace(" ", ""), full[1:].partition(":")[0], full)))


def words_of_term(term: str) -> list[str]:
    """The words that a person's words must have."""
    return [word.replace("\0", "") for word in words_of(folded(term[:_MOST_TERM]))]


def rank_of(term: str, words: str) -> int:
    """How well a person fits, 0 best: all of it, its beginning, the beginning of a word, somewhere."""
    lines = words.split("\n")
    asked = folded(term[:_MOST_TERM])
    asked = asked.removeprefix("@") if "@" + asked.removeprefix("@") not in lines else asked
    if asked in lines:
        return 0
    if any(line.startswith(asked) for line in lines if not line.startswith("@")):
        return 1
    return 2 if any(f" {asked}" in line for line in lines) else 3
