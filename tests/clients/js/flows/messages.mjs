// What people do in a room: write, answer, change, take back, react, vote, read.

import * as sdk from "matrix-js-sdk";
import { M_POLL_KIND_DISCLOSED, M_POLL_RESPONSE, M_POLL_START } from "matrix-js-sdk/lib/@types/polls.js";
import { PollEndEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollEndEvent.js";
import { PollResponseEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollResponseEvent.js";
import { PollStartEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollStartEvent.js";

import { check, listenTo, online, seen, sharedRoom, start, until, userId } from "../harness.mjs";

const { Direction, EventType, MsgType, NotificationCountType, ReceiptType, RelationType } = sdk;

function related(client, roomId, eventId, relation, kind) {
    return client.getRoom(roomId).relations.getChildEventsForEvent(eventId, relation, kind);
}

export async function conversation() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro], { name: "回覧板", topic: "お知らせ" });
    check("the room has its name", taro.getRoom(roomId).name, "回覧板");
    check("somebody who was invited sees who invited", taro.getRoom(roomId).getMember(userId("hanako")).membership, "join");
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "今晩は 🏮");
    const heard = await seen(taro, roomId, eventId, "the words arrive");
    check("they are what was said", heard.getContent().body, "今晩は 🏮");
    check("and by whom", heard.getSender(), userId("hanako"));
    await until("the own message is no pending one any more", () => (
        hanako.getRoom(roomId).getPendingEvents().length === 0 && hanako.getRoom(roomId).findEventById(eventId)?.status === null
    ));
    const own = hanako.getRoom(roomId).getLiveTimeline().getEvents().filter((event) => event.getType() === "m.room.message");
    check("it stands once in the own timeline", own.length, 1);
    await taro.sendTyping(roomId, true, 10_000);
    await until("typing shows", () => hanako.getRoom(roomId).getMember(userId("taro")).typing);
    await taro.sendTyping(roomId, false, 10_000);
    await until("and ends", () => !hanako.getRoom(roomId).getMember(userId("taro")).typing);
    await hanako.setRoomTopic(roomId, "清掃は日曜");
    await until("a changed topic shows", () => (
        taro.getRoom(roomId).currentState.getStateEvents("m.room.topic", "").getContent().topic === "清掃は日曜"
    ));
    await taro.leave(roomId);
    await until("leaving shows on both sides", () => (
        hanako.getRoom(roomId).getMember(userId("taro")).membership === "leave"
        && taro.getRoom(roomId).getMyMembership() === "leave"
    ));
}

export async function past() {
    const hanako = await online("hanako");
    const { room_id: roomId } = await hanako.createRoom({ name: "日誌" });
    for (let number = 0; number < 30; number += 1) {
        await hanako.sendTextMessage(roomId, String(number));
    }
    const later = await online("hanako", { start: { initialSyncLimit: 5 } });
    const room = later.getRoom(roomId);
    const shown = () => room.getLiveTimeline().getEvents().map((event) => event.getContent().body).filter(Boolean);
    check("a new device sees the newest first", shown().slice(-5), ["25", "26", "27", "28", "29"]);
    while (room.getLiveTimeline().getPaginationToken(Direction.Backward) !== null) {
        await later.scrollback(room, 10);
    }
    check("and scrolls back to the beginning", shown(), Array.from({ length: 30 }, (_, number) => String(number)));
    check("which is the creation", room.getLiveTimeline().getEvents()[0].getType(), "m.room.create");
    const middle = room.getLiveTimeline().getEvents().find((event) => event.getContent().body === "12");
    const other = await online("hanako", { start: { initialSyncLimit: 2 } });
    const timeline = await other.getEventTimeline(other.getRoom(roomId).getUnfilteredTimelineSet(), middle.getId());
    check("a link to an event opens around it", timeline.getEvents().some((event) => event.getId() === middle.getId()));
    const at = await hanako.timestampToEvent(roomId, middle.getTs(), Direction.Forward);
    check("and a moment finds an event", at.origin_server_ts >= middle.getTs());
}

export async function changes() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "清掃は九時から");
    await hanako.sendEvent(roomId, EventType.RoomMessage, {
        "msgtype": MsgType.Text, "body": "* 清掃は八時から",
        "m.new_content": { msgtype: MsgType.Text, body: "清掃は八時から" },
        "m.relates_to": { rel_type: RelationType.Replace, event_id: eventId },
    });
    await until("an edit replaces the words", () => (
        taro.getRoom(roomId).findEventById(eventId)?.getContent().body === "清掃は八時から"
    ));
    const late = await online("taro", { start: { initialSyncLimit: 1 } });
    await late.getEventTimeline(late.getRoom(roomId).getUnfilteredTimelineSet(), eventId);
    const fetched = new sdk.MatrixEvent(await late.fetchRoomEvent(roomId, eventId));
    check("a device that comes later gets the edit with the event", fetched.getUnsigned()["m.relations"]["m.replace"].content["m.new_content"].body, "清掃は八時から");
    const { event_id: reactionId } = await taro.sendEvent(roomId, EventType.Reaction, {
        "m.relates_to": { rel_type: RelationType.Annotation, event_id: eventId, key: "✅" },
    });
    const reactions = () => related(hanako, roomId, eventId, RelationType.Annotation, EventType.Reaction);
    await until("a reaction is counted", () => (
        reactions()?.getSortedAnnotationsByKey()?.some(([key, events]) => key === "✅" && events.size === 1)
    ));
    await taro.redactEvent(roomId, reactionId);
    await until("and taken back", () => reactions().getRelations().length === 0);
    await hanako.redactEvent(roomId, eventId, undefined, { reason: "間違い" });
    const gone = await until("a redacted message is empty", () => {
        const event = taro.getRoom(roomId).findEventById(eventId);
        return event.isRedacted() && event;
    });
    check("nothing of it is left", gone.getContent(), {});
    check("and the reason shows", gone.getUnsigned().redacted_because.content.reason, "間違い");
}

export async function threads() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const { event_id: rootId } = await hanako.sendTextMessage(roomId, "夏祭りについて");
    await seen(taro, roomId, rootId);
    await taro.sendTextMessage(roomId, rootId, "屋台を出します");
    const { event_id: lastId } = await hanako.sendTextMessage(roomId, rootId, "お願いします");
    const thread = await until("the thread is there with both answers", () => {
        const found = taro.getRoom(roomId).getThread(rootId);
        return found?.length === 2 && found.replyToEvent?.getId() === lastId && found;
    });
    check("and one takes part in it", thread.hasCurrentUserParticipated);
    const main = taro.getRoom(roomId).getLiveTimeline().getEvents().map((event) => event.getId());
    check("its answers are not in the main timeline", main.includes(lastId), false);
    await until("an answer counts for its thread", () => (
        taro.getRoom(roomId).getThreadUnreadNotificationCount(rootId, NotificationCountType.Total) === 1
    ));
    const last = await until("the thread has loaded", () => thread.findEventById(lastId));
    await taro.sendReadReceipt(last);
    await until("a receipt in the thread clears it", () => (
        taro.getRoom(roomId).getThreadUnreadNotificationCount(rootId, NotificationCountType.Total) === 0
    ));
    await until("and shows to the other", () => (
        hanako.getRoom(roomId).getThread(rootId)?.getEventReadUpTo(userId("taro"), true) === lastId
    ));
    const late = await online("hanako");
    await late.getRoom(roomId).createThreadsTimelineSets();
    await late.getRoom(roomId).fetchRoomThreads();
    const listed = late.getRoom(roomId).getThreads();
    check("a later device lists the thread", listed.map((one) => [one.id, one.length]), [[rootId, 2]]);
}

export async function polls() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const question = PollStartEvent.from("来ますか", ["はい", "いいえ"], M_POLL_KIND_DISCLOSED).serialize();
    const { event_id: pollId } = await hanako.sendEvent(roomId, question.type, question.content);
    const poll = await until("the poll arrives", () => taro.getRoom(roomId).polls.get(pollId));
    listenTo(poll);
    check("with its question", poll.pollEvent.question.text, "来ますか");
    const yes = poll.pollEvent.answers[0].id;
    const vote = PollResponseEvent.from([yes], pollId).serialize();
    await taro.sendEvent(roomId, vote.type, vote.content);
    const counted = await hanako.getRoom(roomId).polls.get(pollId).getResponses();
    await until("the vote arrives", () => (
        counted.getRelations().some((event) => M_POLL_RESPONSE.findIn(event.getContent()).answers[0] === yes)
    ));
    const end = PollEndEvent.from(pollId, "終わり").serialize();
    await hanako.sendEvent(roomId, end.type, end.content);
    await until("the poll is ended", () => poll.isEnded);
    const late = await online("taro", { start: { initialSyncLimit: 1 } });
    const root = new sdk.MatrixEvent(await late.fetchRoomEvent(roomId, pollId));
    const later = new sdk.Poll(root, late, late.getRoom(roomId));
    check("a later device fetches the votes", (await later.getResponses()).getRelations().map((event) => event.getSender()), [userId("taro")]);
    check("and that it is ended", later.isEnded);
    check("a poll is a poll", M_POLL_START.matches(root.getType()));
}

export async function reading() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const other = await online("taro");
    const count = (client, kind) => client.getRoom(roomId).getRoomUnreadNotificationCount(kind);
    await hanako.sendTextMessage(roomId, "一");
    const { event_id: lastId } = await hanako.sendMessage(roomId, {
        "msgtype": MsgType.Text, "body": "太郎さん", "m.mentions": { user_ids: [userId("taro")] },
    });
    const last = await seen(taro, roomId, lastId);
    await until("both are unread", () => count(taro, NotificationCountType.Total) === 2);
    await until("one is a mention", () => count(taro, NotificationCountType.Highlight) === 1);
    await taro.sendReadReceipt(last);
    await until("reading clears the count", () => count(taro, NotificationCountType.Total) === 0);
    await until("on the other device too", () => count(other, NotificationCountType.Total) === 0);
    await until("the sender sees the receipt", () => hanako.getRoom(roomId).hasUserReadEvent(userId("taro"), lastId));
    const { event_id: secretId } = await hanako.sendTextMessage(roomId, "三");
    const secret = await seen(taro, roomId, secretId);
    await taro.setRoomReadMarkers(roomId, secretId, undefined, secret);
    await until("a private receipt clears the count", () => count(other, NotificationCountType.Total) === 0);
    await until("and moves the marker", () => (
        other.getRoom(roomId).getAccountData("m.fully_read")?.getContent().event_id === secretId
    ));
    await hanako.sendTextMessage(roomId, "四");
    await until("the next counts again", () => count(taro, NotificationCountType.Total) === 1);
    check("nobody else saw the private one", hanako.getRoom(roomId).getEventReadUpTo(userId("taro"), true), lastId);
    await refusedReceipt(hanako, roomId);
}

async function refusedReceipt(client, roomId) {
    const stranger = new sdk.MatrixEvent({ event_id: "$nothing", room_id: roomId, type: "m.room.message", content: {} });
    const answer = await client.sendReceipt(stranger, ReceiptType.Read, {}, true).then(() => 200, (error) => error.httpStatus);
    check("a receipt for nothing does no harm", answer < 500);
}
