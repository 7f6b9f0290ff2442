"""What officers are told about backups and checks, in plain Japanese."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "backup": (
        "【役員さんへ】 けさの 控え（バックアップ）が とれませんでした。\n"
        "いますぐ こまることは ありません。ふだんどおり つかえます。ただ、機械が こわれたときに もどせるのは、"
        "まえの 控えまでです。\n"
        "控えの ディスク（USBなど）が ささっているか、いっぱいでないかを 見てください。"
        "わからないときは、機械を みている人に この文を 見せてください。"
    ),
    "check": (
        "【役員さんへ】 データに きずが 見つかりました。\n"
        "だいじなことは、紙にも 書いておいてください。機械の 電源は 切らずに、機械を みている人に すぐ "
        "知らせてください。まえの 控え（バックアップ）から もどせます。"
    ),
    "copy": (
        "【役員さんへ】 けさの 控え（バックアップ）を、べつの 場所（ほかの 機械や クラウド）に 写せませんでした。\n"
        "いますぐ こまることは ありません。控えは 手もとに あります。ただ、火事や 水害のときに もどせるのは、"
        "まえに 写した 控えまでです。\n"
        "インターネットに つながっているか、見てください。何日も つづくときは、機械を みている人に この文を "
        "見せてください。"
    ),
    "late": (
        "【役員さんへ】 控え（バックアップ）が {days}日 とれていません。\n"
        "控えの ディスク（USBなど）が ささっているか、見てください。"
        "わからないときは、機械を みている人に この文を 見せてください。"
    ),
}
_AGAIN: Final = {
    "backup": "【役員さんへ】 控え（バックアップ）が また とれるように なりました。",
    "copy": "【役員さんへ】 控え（バックアップ）を、べつの 場所に また 写せるように なりました。",
    "check": "【役員さんへ】 データを しらべなおしました。きずは ありません。",
}


def trouble(work: str, detail: str = "") -> str:
    """Work did not go well; ``detail`` is for whoever looks after the machine."""
    return _WORDS[work] + (f"\n\n（機械を みている人へ： {detail}）" if detail else "")


def late(days: int) -> str:
    """There has been no backup for days."""
    return _WORDS["late"].format(days=days)


def well_again(work: str) -> str:
    """What had gone wrong goes well again."""
    return _AGAIN[work]
