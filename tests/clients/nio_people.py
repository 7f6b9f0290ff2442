"""What people do with matrix-nio clients, in the words of the tests."""

from __future__ import annotations

from typing import Any, TypeVar

import nio

TEXT = "m.room.message"
T = TypeVar("T")


def succeeded(answer: object, kind: type[T]) -> T:
    """``answer``, which must be of this kind; matrix-nio gives back another one where it was refused."""
    assert isinstance(answer, kind), answer
    return answer


async def newest(client: nio.AsyncClient) -> nio.SyncResponse:
    """One /sync that waits for nothing."""
    answer = await client.sync(timeout=0)
    assert isinstance(answer, nio.SyncResponse), answer
    return answer


async def say(client: nio.AsyncClient, room: str, words: str, **more: Any) -> str:
    """A text message; the answer is its event id."""
    answer = await client.room_send(room, TEXT, {"msgtype": "m.text", "body": words, **more})
    assert isinstance(answer, nio.RoomSendResponse), answer
    return str(answer.event_id)


async def let_in(host: nio.AsyncClient, guest: nio.AsyncClient, room: str) -> None:
    """Invite and join."""
    assert isinstance(await host.room_invite(room, guest.user_id), nio.RoomInviteResponse)
    assert isinstance(await guest.join(room), nio.JoinResponse)


async def shared_room(one: nio.AsyncClient, *others: nio.AsyncClient, **wishes: Any) -> str:
    """A room of ``one`` in which the others are too."""
    made = await one.room_create(invite=[other.user_id for other in others], **wishes)
    assert isinstance(made, nio.RoomCreateResponse), made
    for other in others:
        invited = await newest(other)
        assert made.room_id in invited.rooms.invite
        joined = await other.join(made.room_id)
        assert isinstance(joined, nio.JoinResponse), joined
    return str(made.room_id)
