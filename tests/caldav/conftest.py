"""A running CalDAV door and the people who use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.caldav.node import Account, Node


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    running = Node(tmp_path_factory.mktemp("caldav"))
    yield running
    running.close()


@pytest.fixture
def hanako(node: Node) -> Account:
    """A resident."""
    return node.account("hanako")


@pytest.fixture
def officer(node: Node) -> Account:
    """Somebody who may write gatherings."""
    return node.officer("kaicho")
