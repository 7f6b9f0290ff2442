"""Links, broadcasts and proofs by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.assembly import wide_area_commands
from server.assembly.operator import COMMANDS
from server.commands import main
from server.foundation.errors import InvalidParam, NotFound
from tests.federation.wide_area.places import Place, comes, until, wide_area


async def tell(place: Place, command: str, **said: object) -> list[str]:
    """Carry out a command inside a running node."""
    return await COMMANDS[command](place.node.inside, said)


async def test_an_operator_links_sends_and_verifies(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        code, *words = await tell(
            city, "link_invite", name="桜町", kind="町内会", areas=["17201/sakura=桜町"], categories=["防災"], days=9)
        assert "桜町あての 防災" in words[0]
        assert any("金沢市" in line for line in await tell(sakura, "link_show", code=code))
        (line,) = await tell(sakura, "link_accept", code=code, categories=[])
        assert "金沢市" in line
        assert "つながっています" in line

        async def is_linked() -> bool:
            return "つながっています" in (await tell(city, "link_list"))[0]

        await until(is_linked)
        key, way = await tell(
            city, "broadcast", title="避難訓練", text="日曜です", areas=["17201"], category="防災", priority="重要",
            kind="お知らせ", choices=[], drill=False, office="防災課")
        assert "桜町" in way
        (circular,) = await comes(sakura)
        assert (await tell(sakura, "verify", item=circular.id))[0].startswith("本物です")
        assert key in (await tell(city, "figures", key=key))[0]
        assert await tell(city, "link_refusals") == []
        assert "終わりました" in (await tell(sakura, "link_end", server=city.server, reason="引っこし"))[0]
        with pytest.raises(NotFound):
            await tell(sakura, "link_end", server=city.server, reason="")
        with pytest.raises(InvalidParam, match="天気"):
            await tell(city, "link_invite", name="桜町", kind="町内会", areas=["17201"], categories=["天気"], days=9)
        many = await tell(city, "link_invite_list", text="名前,地域\n桜町,17201/a\n梅町,17201/b\n", days=9)
        assert [line.split(",")[1] for line in many] == ["名前", "桜町", "梅町"]


def test_every_command_is_known_to_the_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", str(tmp_path / "city"), "--server-name", "city.example", "--name", "金沢市"]) == 0
    config = tmp_path / "city" / "kairan.toml"
    told: list[tuple[str, set[str]]] = []

    def perform(_settings: object, what: str, said: dict[str, object]) -> int:
        told.append((what, set(said)))
        return 0

    monkeypatch.setattr("server.assembly.people.perform", perform)
    listed = tmp_path / "list.csv"
    listed.write_text("名前,地域\n")
    end = ["--config", str(config)]
    for words in (
        ["link", "invite", "--name", "桜町", "--area", "17201"], ["link", "invite-list", str(listed)],
        ["link", "show", "code"], ["link", "accept", "code", "--category", "防災"], ["link", "list"],
        ["link", "end", "a.example"], ["link", "refusals"],
        ["broadcast", "題", "本文", "--area", "17201"], ["figures", "a/b"], ["verify", "abc"],
    ):
        assert main([*words, *end]) == 0, capsys.readouterr().err
    assert [what for what, _ in told] == list(wide_area_commands.COMMANDS)
    assert told[1] == ("link_invite_list", {"text", "days"})


def test_a_resting_node_makes_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "city"), "--server-name", "city.example", "--name", "金沢市"]) == 0
    config = tmp_path / "city" / "kairan.toml"
    config.write_text(config.read_text().replace('# role = "association"', 'role = "city"'))
    capsys.readouterr()
    words = ["link", "invite", "--name", "桜町", "--area", "17201=市", "--config", str(config)]
    status = main(words)
    told = capsys.readouterr()
    assert status == 0, told.err
    assert told.out.startswith("kairan-link:https://city.example/link#city.example/")
