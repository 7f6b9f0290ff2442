"""What the made-up association writes to its members. No season is named: a demo is tried all year round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.association.circulars.model import Category


@dataclass(frozen=True, slots=True)
class Text:
    """One circular: ``days`` from today it is posted, ``deadline`` days from today it comes back, if it does."""

    title: str
    text: str
    category: Category
    days: int
    deadline: int | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A gathering: ``days`` from next Sunday, at ``hour``, for ``hours``."""

    title: str
    days: int
    hour: int
    hours: float
    place: str
    text: str
    rule: str = ""
    is_for_officers: bool = False


CLEANING: Final = Text(
    "町内いっせい清掃のお知らせ",
    "町内いっせい清掃を行います。\n\n日時：次の日曜日　午前8時から（1時間くらい）\n集合：桜町集会所の前\n"
    "持ち物：軍手、かま（お持ちの方）\n\nごみ袋は役員が用意します。雨のときは、当日の朝7時までにここでお知らせします。\n"
    "出られるかどうかは、掲示板のアンケートで教えてください。",
    Category.GARBAGE, -12, 6,
)
CLEANING_CORRECTED: Final = CLEANING.text.replace("午前8時から", "午前9時から")
ACCOUNTS: Final = Text(
    "町内会費の使いみち（中間報告）",
    "上半期の会計の中間報告です。くわしくは、つけたPDFをごらんください。\n\n街路灯の電気代が、LEDにかえたことで前の年より3割へりました。"
    "\n質問は、それぞれの「窓口」か、会計までお願いします。",
    Category.NOTICE, -9, 12,
)
ACCOUNTS_SHEET: Final = (
    "収入\n　会費　60世帯　　　　　　180,000円\n　市の補助金　　　　　　　 46,000円\n"
    "　資源回収の奨励金　　　　 12,400円\n　計　　　　　　　　　　　238,400円\n\n"
    "支出\n　街路灯の電気代　　　　　 38,200円\n　集会所の維持費　　　　　 41,500円\n"
    "　防災用品（水・トイレ）　 29,800円\n　子ども会への助成　　　　 20,000円\n"
    "　計　　　　　　　　　　　129,500円\n\n残り　　　　　　　　　　　 108,900円"
)
TREES: Final = Text(
    "川ぞいの桜並木の手入れ、ありがとうございました",
    "先週の桜並木の手入れには、24人の方が来てくださいました。ありがとうございました。\n満開のころの写真をつけます。来年もきれいに咲きますように。\n\n"
    "写真をお持ちの方は、掲示板にのせてください。",
    Category.OTHER, -5,
)
DUTY: Final = Text(
    "1班　ごみ置き場のそうじ当番",
    "来月の当番は、東がわの3軒です。当番の札を、となりへまわしてください。\nカラスよけのネットが破れているところは、班長がなおしました。",
    Category.GARBAGE, -3,
)
SCAM: Final = Text(
    "市からをよそおう電話に注意してください",
    "「保険料がもどります」という電話が、町内で2件ありました。市の職員が、電話でATMへ行くように言うことはありません。\n\n"
    "あやしいと思ったら、いちど電話を切って、家族か警察（#9110）に相談してください。",
    Category.DISASTER, -1,
)
# Who writes is chosen by number among those with an account.
BOARD: Final = (
    (-8, 7, "集会所の前の道に、黒い手ぶくろの落としものがありました。集会所の入口に置いてあります。"),
    (-6, 19, "うちの畑の大根がたくさんとれました。よかったら、5班のごみ置き場のよこの箱からどうぞ🥬"),
    (-4, 33, "3丁目の角の街路灯が、夜になってもつきません。役員の方、見てもらえますか。"),
    (-2, 52, "子ども会のお楽しみ会、てつだってくださる方をさがしています。1時間だけでもたすかります！"),
)
QUESTION_CLEANING: Final = ("いっせい清掃に出られますか", ("出ます", "出られません", "まだわかりません"))
QUESTION_HALL: Final = (
    "集会所に入れてほしいものは（2つまで）", ("Wi-Fi", "エアコンの入れかえ", "いすを軽いものに", "手すり"),
)
DRILL: Final = "震度6弱の地震を想定した訓練"
AT_THE_DESK: Final = "来月から3か月ほど入院します。そのあいだ、ごみ当番をかわってもらえますか。"
GATHERINGS: Final = (
    Ahead("町内いっせい清掃", 0, 9, 1.0, "桜町集会所の前", "軍手をお持ちください。"),
    Ahead("定例役員会", 5, 19, 1.5, "桜町集会所", "議題：清掃のまとめ、防災訓練、会計", is_for_officers=True),
    Ahead("さくら体操", 2, 10, 1.0, "桜町集会所", "いすにすわってできる体操です。", "FREQ=WEEKLY;COUNT=10"),
    Ahead("子ども会 お楽しみ会", 13, 13, 2.5, "桜町公園", "雨のときは集会所で。"),
    Ahead("防災訓練（消火器・AED）", 21, 9, 3.0, "桜小学校 体育館", "市の消防署の方が来ます。"),
)
