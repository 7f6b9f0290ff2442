"""Sharing by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.assembly import sharing_commands
from server.assembly.operator import COMMANDS
from server.commands import main
from server.foundation.errors import InvalidParam, NotFound, Refused
from tests.federation.sharing.neighbourhood import has_facility, have_parted, is_sharing, neighbours
from tests.federation.wide_area.places import Place, until


async def tell(place: Place, command: str, **said: object) -> list[str]:
    """Carry out a command inside a running node."""
    return await COMMANDS[command](place.node.inside, said)


async def test_an_operator_offers_looks_agrees_and_ends(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall = await has_facility(sakura)
        code, *words = await tell(
            sakura, "share_offer", name="梅町", subjects=["行事", "facilities"], facilities=[hall.name], days=3)
        assert "見せる集会所など：桜集会所" in words
        assert any("桜町町内会" in line for line in await tell(ume, "share_show", code=code))
        with pytest.raises(InvalidParam, match="梅集会所"):
            await tell(ume, "share_accept", code=code, subjects=[], facilities=["梅集会所"])
        (line,) = await tell(ume, "share_accept", code=code, subjects=["calendar"], facilities=[])
        assert "分け合っています：行事" in line
        room_id = ume.verbs.sharing.book.in_force()[0].room_id
        await until(lambda: is_sharing(sakura, room_id))
        assert (await tell(sakura, "share_list"))[0].startswith("梅町町内会")
        assert "おわりました" in (await tell(sakura, "share_end", server=ume.server, reason=""))[0]
        with pytest.raises(NotFound):
            await tell(sakura, "share_end", server=ume.server, reason="")
        await have_parted(sakura, ume, room_id)
        for subjects in ([], ["天気"]):
            with pytest.raises(Refused):
                await tell(sakura, "share_offer", name="梅町", subjects=subjects, facilities=[], days=3)


def test_every_command_is_known_to_the_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", str(tmp_path / "node"), "--server-name", "a.example", "--name", "桜町町内会"]) == 0
    told: list[str] = []

    def perform(_settings: object, what: str, said: dict[str, object]) -> int:
        told.append(what)
        return 0

    monkeypatch.setattr("server.assembly.people.perform", perform)
    end = ["--config", str(tmp_path / "node" / "kairan.toml")]
    for words in (
        ["share", "offer", "--name", "梅町", "--subject", "calendar"], ["share", "show", "code"],
        ["share", "accept", "code", "--facility", "集会所"], ["share", "list"], ["share", "end", "a.example"],
    ):
        assert main([*words, *end]) == 0, capsys.readouterr().err
    assert told == list(sharing_commands.COMMANDS)
