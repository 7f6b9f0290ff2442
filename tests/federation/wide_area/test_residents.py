"""A resident in any Matrix client: reads what the city sends, answers, and is a figure at the city."""

from __future__ import annotations

from pathlib import Path

from federation.broadcasts.model import Kind, Priority
from federation.links.model import Told
from server.association.members.model import Role
from tests.builders import Person
from tests.federation.wide_area.places import Place, link, message, until, wide_area


async def resident(place: Place, name: str, role: Role | None = None) -> Person:
    """Somebody with an account on the roster."""
    person = await place.node.user(name)
    editor, members = place.node.inside.association.editor, place.node.inside.association.members
    known = {block.name: block.id for block in members.blocks()}
    block_id = known.get("1班") or (await editor.add_block(place.me, "1班")).id
    home = await editor.add_household(place.me, block_id, name)
    entered = await editor.add_person(place.me, home.id, name)
    if role is not None:
        await editor.give_role(place.me, entered.id, role)
    async with editor.editing() as edit:
        edit.account(entered.id, person.user_id)
    return person


async def figure(city: Place, key: str, told: Told, column: str) -> int | None:
    return (await city.verbs.figures.table(city.me, key)).total.get(told).get(column)


async def test_what_residents_do_in_their_clients_is_figures_at_the_city(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        await sakura.verbs.book.hide_below(sakura.me, 0)
        hanako, taro = await resident(sakura, "hanako"), await resident(sakura, "taro", Role.CHAIR)
        before = (await hanako.syncs()).token
        sent = await city.verbs.sending.send(city.me, message(priority=Priority.IMPORTANT))
        survey = await city.verbs.sending.send(city.me, message(
            title="公園", kind=Kind.SURVEY, choices=("ひろく", "そのまま")))
        news, found = await hanako.syncs(before, timeout=20_000), dict[str, str]()
        for _ in range(20):
            for room in news.rooms():
                for event in news.timeline(room):
                    mark = event["content"].get("jp.kairan.circular", {})
                    if mark.get("upstream") == sent.key:
                        found = {"room": room, "event": event["event_id"], "body": event["content"]["body"]}
            if found:
                break
            news = await hanako.syncs(news.token, timeout=2000)
        assert "【重要】断水のお知らせ" in found["body"]
        assert "〔金沢市から・行政〕" in found["body"]
        await hanako.reads(found["room"], found["event"])
        relates = {"rel_type": "m.annotation", "event_id": found["event"], "key": "✅"}
        await taro.sends(found["room"], "m.reaction", {"m.relates_to": relates})

        async def asked() -> bool:
            return len(await sakura.node.inside.association.polls.results.polls_for(hanako.user_id)) == 1

        await until(asked)
        polls = sakura.node.inside.association.polls
        poll = (await polls.results.polls_for(hanako.user_id))[0].poll
        await polls.answer(hanako.user_id, poll.id, [poll.choices[1].id])
        await sakura.verbs.figures.report_now()

        async def all_told() -> bool:
            return (
                await figure(city, sent.key, Told.REACH, "seen") == 1
                and await figure(city, sent.key, Told.REACH, "acknowledged") == 1
                and await figure(city, survey.key, Told.ANSWERS, "c2") == 1
                and await figure(city, survey.key, Told.ANSWERS, "unanswered") == 1
            )

        await until(all_told)
        assert await figure(city, sent.key, Told.REACH, "delivered") == 2
        assert (await sakura.verbs.desk.verify(poll.id)).is_authentic
        assert (await sakura.verbs.desk.received(taro.user_id))[0].key == survey.key
