"""Reading XML from strangers: no entities, no DOCTYPE, no network, bounded in size, depth and number of elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from lxml import etree

from server.foundation.errors import BadRequest, TooLarge

# An lxml element; the library has no types of its own.
Element: TypeAlias = Any

MAX_XML_BYTES: Final = 512 * 1024
MAX_ELEMENTS: Final = 12_000
MAX_DEPTH: Final = 30
MAX_TEXT: Final = 64 * 1024


def read_xml(body: bytes) -> Element:
    """The root element; raises ``BadRequest`` on anything malformed or hostile."""
    if len(body) > MAX_XML_BYTES:
        raise TooLarge("The request is too large")
    if b"\x00" in body[:200] or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadRequest("The request is not XML that this server reads")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise BadRequest("The request is not well-formed XML", detail=str(fault)[:200]) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadRequest("A document type is not allowed")
    _require_modest(root)
    return root


def _require_modest(root: Element) -> None:
    depth, count = 0, 0
    for action, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if action == "start" else -1
        count += action == "start"
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise BadRequest("The request is nested too deeply or has too many elements")


def children(element: Element | None, name: str = "") -> Iterator[Element]:
    """Child elements, of one name if given."""
    if element is None:
        return
    for child in element:
        if isinstance(child.tag, str) and (not name or child.tag == name):
            yield child


def child(element: Element | None, name: str) -> Element | None:
    """The first child of that name."""
    return next(children(element, name), None)


def text(element: Element | None) -> str:
    """The element's text without blanks around it."""
    return "" if element is None or element.text is None else str(element.text).strip()


def serialised(element: Element) -> str:
    """The element alone as text, with the namespaces that it needs."""
    copy = etree.fromstring(etree.tostring(element, with_tail=False))
    etree.cleanup_namespaces(copy)
    return str(etree.tostring(copy, encoding="unicode", with_tail=False))
