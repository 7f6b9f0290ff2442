"""Password hashes."""

from __future__ import annotations

import pytest

from server.accounts.passwords import Passwords
from server.foundation.errors import InvalidParam


async def test_a_password_is_recognised_and_no_other() -> None:
    passwords = Passwords(4)
    stored = await passwords.make("桜が咲く町の朝に")
    assert "桜" not in stored
    assert stored.startswith("scrypt$4$")
    assert await passwords.is_right("桜が咲く町の朝に", stored)
    assert not await passwords.is_right("桜が散る町の朝に", stored)
    assert not await passwords.is_right("", stored)


async def test_the_same_password_is_stored_differently_each_time() -> None:
    passwords = Passwords(4)
    assert await passwords.make("the same") != await passwords.make("the same")


async def test_old_hashes_are_good_after_the_cost_was_changed() -> None:
    stored = await Passwords(4).make("an old one")
    assert await Passwords(5).is_right("an old one", stored)


async def test_a_short_password_of_before_is_still_right() -> None:
    stored = await Passwords(4, shortest=3).make("old")
    assert await Passwords(4).is_right("old", stored)


async def test_nobody_has_no_right_password() -> None:
    assert not await Passwords(4).is_right("", None)
    assert not await Passwords(4).is_right("anything", None)


@pytest.mark.parametrize(("password", "code"), [
    ("", "M_WEAK_PASSWORD"), ("7 signs", "M_WEAK_PASSWORD"), ("x" * 513, "M_INVALID_PARAM"),
])
async def test_passwords_that_are_refused(password: str, code: str) -> None:
    with pytest.raises(InvalidParam) as refused:
        await Passwords(4).make(password)
    assert refused.value.code == code
