"""Made-up people with believable names, always the same ones: nobody of them exists.

Households have one to five persons of two generations, who share a family name, as on a nameplate.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FAMILIES: Final = """
佐藤 さとう|鈴木 すずき|高橋 たかはし|田中 たなか|伊藤 いとう|渡辺 わたなべ|山本 やまもと|中村 なかむら|小林 こばやし
加藤 かとう|吉田 よしだ|山田 やまだ|佐々木 ささき|山口 やまぐち|松本 まつもと|井上 いのうえ|木村 きむら|林 はやし
斎藤 さいとう|清水 しみず|山崎 やまざき|森 もり|池田 いけだ|橋本 はしもと|阿部 あべ|石川 いしかわ|山下 やました
中島 なかじま|石井 いしい|小川 おがわ|前田 まえだ|岡田 おかだ|長谷川 はせがわ|藤田 ふじた|後藤 ごとう|近藤 こんどう
村上 むらかみ|遠藤 えんどう|青木 あおき|坂本 さかもと|福田 ふくだ|太田 おおた|西村 にしむら|藤井 ふじい|金子 かねこ
岡本 おかもと|藤原 ふじわら|中野 なかの|三浦 みうら|原田 はらだ|中川 なかがわ|松田 まつだ|竹内 たけうち|小野 おの
田村 たむら|中山 なかやま|和田 わだ|石田 いしだ|森田 もりた|上田 うえだ|原 はら|内田 うちだ|柴田 しばた|酒井 さかい
宮崎 みやざき|横山 よこやま|高木 たかぎ|安藤 あんどう|宮本 みやもと|大野 おおの|小島 こじま|谷口 たにぐち|今井 いまい
工藤 くどう|丸山 まるやま|増田 ますだ|杉山 すぎやま|村田 むらた|大塚 おおつか|新井 あらい|小山 こやま|平野 ひらの
藤本 ふじもと|河野 こうの|上野 うえの|野口 のぐち|武田 たけだ|松井 まつい|千葉 ちば|菅原 すがわら|岩崎 いわさき
久保 くぼ|木下 きのした|佐野 さの|野村 のむら|松尾 まつお|菊地 きくち|杉本 すぎもと|市川 いちかわ|古川 ふるかわ
"""
_ELDER_MEN: Final = """
茂 しげる|清 きよし|勇 いさむ|進 すすむ|正 ただし|弘 ひろし|実 みのる|昭 あきら|和夫 かずお|幸雄 ゆきお|敏夫 としお
義雄 よしお|三郎 さぶろう|健一 けんいち|修 おさむ|隆 たかし|博 ひろし|誠 まこと|浩 ひろし|豊 ゆたか|功 いさお|稔 みのる
"""
_ELDER_WOMEN: Final = """
和子 かずこ|節子 せつこ|幸子 さちこ|洋子 ようこ|恵子 けいこ|京子 きょうこ|文子 ふみこ|久子 ひさこ|信子 のぶこ|キヨ きよ
ハル はる|トミ とみ|千代子 ちよこ|美代子 みよこ|芳子 よしこ|静子 しずこ|光子 みつこ|悦子 えつこ|敏子 としこ|典子 のりこ
"""
_MEN: Final = """
健太 けんた|大輔 だいすけ|翔太 しょうた|拓也 たくや|直樹 なおき|達也 たつや|学 まなぶ|智也 ともや|亮 りょう|剛 つよし
雄太 ゆうた|蓮 れん|陽翔 はると|湊 みなと|悠真 ゆうま|樹 いつき|大和 やまと|颯太 そうた|海斗 かいと|航 わたる|陸 りく
"""
_WOMEN: Final = """
美咲 みさき|愛 あい|彩 あや|舞 まい|裕子 ゆうこ|真由美 まゆみ|智子 ともこ|陽子 ようこ|麻衣 まい|香織 かおり
結衣 ゆい|陽葵 ひまり|凛 りん|さくら さくら|葵 あおい|芽依 めい|莉子 りこ|美月 みつき|咲良 さくら|七海 ななみ|杏 あん
"""
# The first names of each list are those of grown-ups.
_GROWN_UP: Final = 11
_SIZES: Final = (1, 1, 2, 2, 2, 2, 3, 3, 4, 5)

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class MadeUpPerson:
    """One person: 佐藤 茂, さとう しげる."""

    name: str
    kana: str


@dataclass(frozen=True, slots=True)
class MadeUpHousehold:
    """One household by its family name."""

    family: str
    persons: tuple[MadeUpPerson, ...]


def households(seed: str) -> Iterator[MadeUpHousehold]:
    """Households without end, the same ones for the same ``seed``."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is secret
    families = _names(_FAMILIES)
    while True:
        family = chance.choice(families)
        size = chance.choice(_SIZES)
        yield MadeUpHousehold(family[0], tuple(_person(family, given) for given in _given_names(chance, size)))


def _person(family: Name, given: Name) -> MadeUpPerson:
    return MadeUpPerson(f"{family[0]} {given[0]}", f"{family[1]} {given[1]}")


def _given_names(chance: random.Random, size: int) -> list[Name]:
    """A couple or one of them first, then the next generation; nobody in a household is called like another."""
    is_elder = chance.random() < (0.7 if size < 3 else 0.4)
    men, women = (_ELDER_MEN, _ELDER_WOMEN) if is_elder else (_MEN, _WOMEN)
    heads = [chance.choice(_names(men)[:_GROWN_UP]), chance.choice(_names(women)[:_GROWN_UP])]
    if size == 1:
        return [chance.choice(heads)]
    younger = [name for name in _names(_MEN) + _names(_WOMEN) if name not in heads]
    return heads + chance.sample(younger, size - 2)


def _names(table: str) -> list[Name]:
    entries = (entry.partition(" ") for line in table.split("\n") for entry in line.split("|") if entry.strip())
    return [(written, spoken) for written, _, spoken in entries if spoken]
