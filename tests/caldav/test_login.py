"""App passwords: the only key to the calendars."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from server.foundation.errors import InvalidParam, NotFound
from tests.caldav.node import Account, Node, basic


def test_a_password_is_seven_groups_of_four_and_shown_without_its_secret(node: Node, hanako: Account) -> None:
    assert [len(group) for group in hanako.secret.split("-")] == [4] * 7
    listed = node.run(node.app_passwords.list(hanako.user_id))
    assert [item.label for item in listed] == ["test"]
    stored = node.run(node.database.fetch_all(text("SELECT * FROM app_passwords")))
    assert hanako.secret.replace("-", "") not in str(stored).replace("-", "")


@pytest.mark.parametrize("header", [
    None, "", "Bearer abc", "Basic", "Basic !!!", "Basic " + "A" * 2000, basic("hanako", "wrong"), basic("", ""),
    basic("hanako", ""), "Basic /////w==",
])
def test_without_a_right_password_everything_answers_401(node: Node, hanako: Account, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("PROPFIND", "/dav/"), ("OPTIONS", "/dav/"), ("PUT", hanako.personal + "a.ics"),
                         ("REPORT", "/dav/nothing")):
        answer = node.ask(method, path, headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="kairan", charset="UTF-8"'


def test_the_password_of_a_neighbour_does_not_open_ones_own_name(node: Node, hanako: Account) -> None:
    taro = node.account("taro")
    answer = node.ask("PROPFIND", "/dav/", headers={"Authorization": basic("hanako", taro.secret)})
    assert answer.status == 401


def test_a_revoked_password_is_useless_at_once_and_the_others_go_on(node: Node, hanako: Account) -> None:
    other = node.account("hanako")
    assert hanako.ask("PROPFIND", "/dav/", Depth="0").status == 207
    node.run(node.app_passwords.revoke(hanako.user_id, hanako.password_id))
    assert hanako.ask("PROPFIND", "/dav/", Depth="0").status == 401
    assert other.ask("PROPFIND", "/dav/", Depth="0").status == 207
    node.run(node.app_passwords.revoke_all(hanako.user_id))
    assert other.ask("PROPFIND", "/dav/", Depth="0").status == 401


def test_one_cannot_revoke_for_others_nor_name_a_password_nothing(node: Node, hanako: Account) -> None:
    taro = node.account("taro")
    with pytest.raises(NotFound):
        node.run(node.app_passwords.revoke(taro.user_id, hanako.password_id))
    with pytest.raises(InvalidParam):
        node.run(node.app_passwords.create(taro.user_id, "  "))


def test_guessing_is_slowed_down_but_locks_no_device_out(node: Node, hanako: Account) -> None:
    assert hanako.ask("PROPFIND", "/dav/", Depth="0").status == 207
    wrong = {"Authorization": basic("hanako", "aaaa-bbbb")}
    answers = [node.ask("PROPFIND", "/dav/", headers=wrong).status for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert int(node.ask("PROPFIND", "/dav/", headers=wrong).headers["retry-after"]) > 0
    assert hanako.ask("PROPFIND", "/dav/", Depth="0").status == 207
    assert node.account("taro").ask("PROPFIND", "/dav/", Depth="0").status == 207


def test_when_a_password_was_used_is_noted(node: Node, hanako: Account) -> None:
    assert node.run(node.app_passwords.list(hanako.user_id))[0].used_ms is None
    hanako.ask("PROPFIND", "/dav/", Depth="0")
    hanako.put(hanako.personal + "x.ics", "")  # a write waits for the writer, and so for the note before it
    node.run(_settled(node))
    assert node.run(node.app_passwords.list(hanako.user_id))[0].used_ms is not None


async def _settled(node: Node) -> None:
    async with node.database.write():
        pass


def test_a_known_password_costs_no_sql(node: Node, hanako: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    body = '<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>'
    for _ in range(2):  # the first time, the first calendars are made
        assert hanako.ask("PROPFIND", hanako.personal, body, Depth="0").status == 207

    def no_sql(*_: object) -> None:
        raise AssertionError("SQL")

    monkeypatch.setattr(node.database, "fetch_all", no_sql)
    monkeypatch.setattr(node.database, "fetch_one", no_sql)
    assert hanako.ask("PROPFIND", hanako.personal, body, Depth="0").status == 207
