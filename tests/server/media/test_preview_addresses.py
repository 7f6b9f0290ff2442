"""Which addresses are looked at, before anybody is asked."""

from __future__ import annotations

import pytest
from yarl import URL

from server.foundation.errors import Forbidden, InvalidParam
from server.media.preview_addresses import PreviewRules, file_name

RULES = PreviewRules()


@pytest.mark.parametrize(("text", "address"), [
    ("https://example.org/a?b=c#d", "https://example.org/a?b=c"),
    ("HTTP://Example.ORG/", "http://example.org/"),
    ("https://桜町.example/お知らせ", "https://xn--xyv79z.example/%E3%81%8A%E7%9F%A5%E3%82%89%E3%81%9B"),
    ("http://192.0.2.7/x", "http://192.0.2.7/x"),
    ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ("https://example.org:443/", "https://example.org/"),
])
def test_addresses_of_the_web_are_looked_at(text: str, address: str) -> None:
    assert str(RULES.address(text)) == address


@pytest.mark.parametrize("text", [
    "", "example.org", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)",
    "data:text/html,x", "mxc://sakura.example/abc", "http:///path", "http://", "//example.org/",
    "http://user@example.org/", "http://user:password@example.org/", "http://example.org\\@10.0.0.1/",
    "http://exa mple.org/", "http://example.org/\r\nHost: other", "http://example.org:99999/", "http://example.org:x/",
    "http://[::1", "http://[fe80::1%25eth0]/", "http://" + "a" * 5000 + ".example/", "http://a..b/",
])
def test_what_is_no_address_of_the_web_is_refused(text: str) -> None:
    with pytest.raises(InvalidParam):
        RULES.address(text)


@pytest.mark.parametrize("host", [
    "localhost", "router", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1",
    "10.0.0.1.", "1.2.3.4.5", "999.1.1.1", "nas.local", "printer.lan", "box.home.arpa", "x.localhost",
    "x.localhost.",
])
def test_odd_numbers_and_names_of_ones_own_network_are_refused(host: str) -> None:
    with pytest.raises(InvalidParam):
        RULES.address(f"http://{host}/")


@pytest.mark.parametrize("host", ["①②⑦.①.①.①", "１２７.0.0.1"])
def test_numbers_in_other_letters_are_numbers(host: str) -> None:
    assert RULES.address(f"http://{host}/").raw_host in ("127.1.1.1", "127.0.0.1")


@pytest.mark.parametrize("port", [22, 25, 8008, 6379, 0])
def test_other_ports_are_not_knocked_at(port: int) -> None:
    with pytest.raises(Forbidden):
        RULES.address(f"http://example.org:{port}/")
    assert PreviewRules(ports=(port,)).address(f"http://example.org:{port}/").port == port


@pytest.mark.parametrize(("host", "blocked"), [
    ("bad.example", True), ("www.bad.example", True), ("BAD.example.", True), ("notbad.example", False),
    ("bad.example.org", False), ("ads.example.com", True),
])
def test_blocked_hosts_are_not_asked_nor_what_is_below_them(host: str, blocked: bool) -> None:
    rules = PreviewRules(blocked_hosts=("bad.example", "*.Ads.example.com"))
    if blocked:
        with pytest.raises(Forbidden):
            rules.address(f"https://{host}/")
    else:
        assert rules.address(f"https://{host}/")


@pytest.mark.parametrize(("address", "name"), [
    ("https://a.example/b/%E7%A7%8B.png?x=1", "秋.png"), ("https://a.example/", ""), ("https://a.example/b/", "b"),
])
def test_a_file_is_called_as_its_address_ends(address: str, name: str) -> None:
    assert file_name(URL(address)) == name
