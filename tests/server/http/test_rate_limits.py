"""Token buckets, and whose address a request has."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from server.config import parse_settings
from server.foundation.clock import SystemClock
from server.foundation.errors import LimitExceeded
from server.http import limiter as limiter_module
from server.http.limiter import Limiter
from server.http.login_attempts import network_of
from server.http.rate_limits import RateLimits


class Hand(SystemClock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def used(limiter: Limiter, key: str = "a") -> int:
    count = 0
    try:
        while count < 100:
            limiter.take(key)
            count += 1
    except LimitExceeded:
        pass
    return count


def test_a_burst_then_one_at_a_time() -> None:
    clock = Hand()
    limiter = Limiter(clock, per_second=2, burst=5)
    assert used(limiter) == 5
    assert used(limiter, "another") == 5
    clock.now = 0.5
    assert used(limiter) == 1
    clock.now = 100
    assert used(limiter) == 5


def test_the_wait_that_is_told_is_long_enough() -> None:
    clock = Hand()
    limiter = Limiter(clock, per_second=0.1, burst=1)
    limiter.take("a")
    with pytest.raises(LimitExceeded) as refused:
        limiter.take("a")
    assert refused.value.retry_after_ms == 10_000
    clock.now = 10
    limiter.take("a")


def test_looking_uses_nothing() -> None:
    limiter = Limiter(Hand(), per_second=1, burst=1)
    for _ in range(5):
        limiter.check("a")
    assert used(limiter) == 1


def test_what_is_given_back_can_be_used_again() -> None:
    limiter = Limiter(Hand(), per_second=1, burst=3)
    for _ in range(5):
        limiter.take("a")
        limiter.give_back("a")
    assert used(limiter) == 3
    limiter.give_back("nobody")


def test_counting_past_the_end_makes_the_wait_no_longer() -> None:
    clock = Hand()
    limiter = Limiter(clock, per_second=1, burst=3)
    for _ in range(1000):
        limiter.count("a")
    clock.now = 1
    assert used(limiter) == 1


@pytest.mark.parametrize(("address", "network"), [
    ("203.0.113.9", "203.0.113.9"), ("::ffff:203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unknown", "unknown"),
])  # fmt: skip
def test_guesses_are_counted_by_what_a_caller_can_choose_freely(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_limiter_that_is_off_never_refuses() -> None:
    assert used(Limiter(Hand(), per_second=1, burst=0)) == 100


def test_many_keys_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_module, "_MOST_KEYS", 10)
    limiter = Limiter(Hand(), per_second=1, burst=5)
    for number in range(100):
        limiter.take(str(number))
    assert len(limiter._full_at) == 10


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"), ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.2", "203.0.113.9"), ("", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_says_who_is_behind_it(forwarded: str, address: str) -> None:
    settings = parse_settings('server_name = "a.example"\n[http]\ntrusted_proxies = ["10.0.0.0/8"]\n', Path())
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote="10.0.0.1")
    assert RateLimits(SystemClock(), settings).address(request) == address


def test_a_stranger_may_say_what_he_likes() -> None:
    settings = parse_settings('server_name = "a.example"\n[http]\ntrusted_proxies = ["10.0.0.0/8"]\n', Path())
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": "1.2.3.4"}).clone(remote="192.0.2.7")
    assert RateLimits(SystemClock(), settings).address(request) == "192.0.2.7"
