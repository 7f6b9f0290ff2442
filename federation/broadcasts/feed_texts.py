"""Public notices as Atom (RFC 4287), RSS 2.0 and iCalendar. Pure; the same notices always give the same bytes.

What people have written never becomes markup: Atom says that it is text, and RSS, which readers take for HTML, gets it
escaped twice, or in titles with other letters in place of those that HTML knows.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from federation.broadcasts.public import PublicNotice
from server.association.circulars.model import Attachment
from server.calendars.gathering_ics import render_gathering
from server.calendars.ports import Gathering, GatheringDraft
from server.foundation.clock import tokyo_time

# XML 1.0, production 2: no other character may stand in a document, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDE: Final = str.maketrans({"<": "＜", ">": "＞", "&": "＆"})
_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who speaks: name, server name, and the public address of the node."""

    name: str
    server: str
    url: str

    @property
    def title(self) -> str:
        """What the feeds are called."""
        return f"{self.name}からの お知らせ"

    @property
    def page(self) -> str:
        """The page with the same notices."""
        return f"{self.url}/feeds"

    def link(self, item: PublicNotice) -> str:
        """Where a notice stands on that page."""
        return f"{self.page}#n-{item.id}"

    def paper(self, item: PublicNotice, number: int) -> str:
        """Where a file of a notice is fetched."""
        return f"{self.url}{paper_path(item.id, number)}"

    def name_of(self, item: PublicNotice) -> str:
        """A name that stays when addresses change (RFC 4151)."""
        host = self.server.rpartition(":")[0] if self.server.rpartition(":")[2].isdigit() else self.server
        return f"tag:{host.strip('[]')},{tokyo_time(item.notice.sent_ts):%Y-%m-%d}:notice/{item.id}"


def paper_path(notice_id: str, number: int) -> str:
    """The path of a public notice's file, counted from 0."""
    return f"/public/{notice_id}/{number}"


def atom(publisher: Publisher, items: Sequence[PublicNotice]) -> bytes:
    """The Atom feed."""
    entries = "".join(_entry(publisher, item) for item in items)
    return _document(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ja">'
        f"<title>{_text(publisher.title)}</title><id>{_text(publisher.page)}</id>"
        f"<updated>{_rfc_3339(_newest(items))}</updated><author><name>{_text(publisher.name)}</name></author>"
        f'<link rel="self" type="application/atom+xml" href="{_text(publisher.page)}/notices.atom"/>'
        f'<link rel="alternate" type="text/html" href="{_text(publisher.page)}"/>'
        f"<generator>Kairan</generator>{entries}</feed>\n"
    )


def rss(publisher: Publisher, items: Sequence[PublicNotice]) -> bytes:
    """The RSS 2.0 feed."""
    entries = "".join(_item(publisher, item) for item in items)
    return _document(
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{_wide(publisher.title)}</title><link>{_text(publisher.page)}</link>"
        f"<description>{_wide(publisher.title)}</description><language>ja</language>"
        f'<atom:link rel="self" type="application/rss+xml" href="{_text(publisher.page)}/notices.rss"/>'
        f"<lastBuildDate>{_rfc_822(_newest(items))}</lastBuildDate><ttl>5</ttl>"
        f"<generator>Kairan</generator>{entries}</channel></rss>\n"
    )


def deadlines(publisher: Publisher, items: Sequence[PublicNotice]) -> list[bytes]:
    """The last days of what notices ask for, each an iCalendar object; of cancelled notices ``STATUS:CANCELLED``."""
    return [_deadline(publisher, item, item.notice.message.deadline) for item in items
            if item.notice.message.deadline is not None]


def _entry(publisher: Publisher, item: PublicNotice) -> str:
    said, words = item.notice.message, "\n".join(_words(publisher, item))
    papers = "".join(
        f'<link rel="enclosure" type="{_text(paper.mimetype)}" title="{_text(paper.name)}"{_length(paper)}'
        f' href="{_text(publisher.paper(item, number))}"/>' for number, paper in enumerate(item.papers))
    alert = '<category term="alert" label="緊急"/>' if item.is_alert else ""
    return (
        f"<entry><title>{_text(item.title)}</title><id>{_text(publisher.name_of(item))}</id>"
        f'<link rel="alternate" type="text/html" href="{_text(publisher.link(item))}"/>'
        f"{papers}<published>{_rfc_3339(item.notice.sent_ts)}</published><updated>{_rfc_3339(item.changed_ts)}</updated>"
        f'<category term="{said.category.value}" label="{_text(said.category.label)}"/>{alert}'
        f'<content type="text">{_text(words)}</content></entry>'
    )


def _item(publisher: Publisher, item: PublicNotice) -> str:
    words = "<br>".join(html.escape(line) for line in _words(publisher, item))
    papers = "".join(
        f'<enclosure url="{_text(publisher.paper(item, number))}" length="{paper.size or 0}"'
        f' type="{_text(paper.mimetype)}"/>' for number, paper in enumerate(item.papers))
    alert = "<category>緊急</category>" if item.is_alert else ""
    return (
        f"<item><title>{_wide(item.title)}</title><link>{_text(publisher.link(item))}</link>"
        f'<guid isPermaLink="false">{_text(publisher.name_of(item))}</guid>'
        f"<pubDate>{_rfc_822(item.notice.sent_ts)}</pubDate>"
        f"<atom:updated>{_rfc_3339(item.changed_ts)}</atom:updated>"
        f"<category>{_wide(item.notice.message.category.label)}</category>{alert}"
        f"<description>{_text(words)}</description>{papers}</item>"
    )


def _deadline(publisher: Publisher, item: PublicNotice, deadline: int | None) -> bytes:
    day = tokyo_time(deadline or 0).date()
    draft = GatheringDraft(
        f"notice-{item.id}@{publisher.server}", f"期限：{item.title}", day, day + timedelta(days=1), "",
        "\n".join([*_words(publisher, item), publisher.link(item)]), cancelled=item.is_cancelled,
    )
    notice = item.notice
    return render_gathering(Gathering(
        f"{item.id}.ics", draft, notice.revision, notice.sent_ts, item.changed_ts, notice.revision - 1))


def _words(publisher: Publisher, item: PublicNotice) -> list[str]:
    """All that there is to read, line by line, also for readers that show no enclosures."""
    papers = [f"{paper.name}：{publisher.paper(item, number)}" for number, paper in enumerate(item.papers)]
    return [*item.lines, *papers, "", item.origin_words]


def _length(paper: Attachment) -> str:
    return "" if paper.size is None else f' length="{paper.size}"'


def _newest(items: Sequence[PublicNotice]) -> int:
    return max((item.changed_ts for item in items), default=0)


def _document(text: str) -> bytes:
    return (_HEAD + text).encode()


def _text(text: str) -> str:
    return html.escape(_NO_XML.sub("", text))


def _wide(text: str) -> str:
    return _text(text.translate(_WIDE))


def _rfc_3339(ms: int) -> str:
    return f"{tokyo_time(ms):%Y-%m-%dT%H:%M:%S+09:00}"


def _rfc_822(ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(ms // 1000, UTC), usegmt=True)
