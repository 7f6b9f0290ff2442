"""tests/real.py: a missing program is loud, and a failure where changes are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import real


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "_TOOLS", {"abacus": lambda: None, "ruler": lambda: Path("/usr/bin/ruler")})


def test_what_is_there_is_used() -> None:
    assert real.require_real("ruler") == Path("/usr/bin/ruler")


def test_what_is_missing_skips_the_test_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        real.require_real("abacus")
    assert real.missing_tools([str(skipped.value), "another reason"]) == [
        "abacus is not installed (make test installs it where it may)"
    ]


def test_what_is_missing_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="abacus is not installed"):
        real.require_real("abacus")
