// Sliding sync: the SDK's own class, asking as Element X asks.

import { SlidingSync } from "matrix-js-sdk/lib/sliding-sync.js";

import { ask, check, listenTo, logIn, online, seen, until, userId, world } from "../harness.mjs";

const ROOM_LIST = {
    ranges: [[0, 19]], timeline_limit: 1, filters: {},
    required_state: [
        ["m.room.name", ""], ["m.room.encryption", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"],
        ["m.room.topic", ""], ["m.room.avatar", ""], ["m.room.canonical_alias", ""], ["m.room.power_levels", ""],
        ["m.room.join_rules", ""], ["m.room.create", ""], ["m.room.tombstone", ""], ["m.room.pinned_events", ""],
        ["m.space.child", "*"], ["m.space.parent", "*"], ["org.matrix.msc3401.call.member", "*"],
        ["org.matrix.msc3672.beacon_info", "*"], ["m.room.history_visibility", ""],
    ],
};
const OPENED = { timeline_limit: 20, required_state: [...ROOM_LIST.required_state, ["m.room.pinned_events", ""]] };

async function slide(client, options = {}) {
    const sliding = listenTo(new SlidingSync(world.url, new Map([["all_rooms", ROOM_LIST]]), OPENED, client, 5_000));
    await client.startClient({ slidingSync: sliding, threadSupport: true, pendingEventOrdering: "detached", ...options });
    await until("sliding sync is through", () => ["PREPARED", "SYNCING"].includes(client.getSyncState()));
    return sliding;
}

export async function lists() {
    const hanako = await online("hanako");
    const taro = await logIn("taro");
    const rooms = [];
    for (const name of ["一丁目", "二丁目", "三丁目"]) {
        const { room_id: roomId } = await hanako.createRoom({ name, invite: [userId("taro")] });
        await taro.joinRoom(roomId);
        rooms.push(roomId);
    }
    for (let number = 0; number < 12; number += 1) {
        await hanako.sendTextMessage(rooms[0], String(number));
    }
    const sliding = await slide(taro);
    await until("all rooms are counted", () => sliding.getListData("all_rooms")?.joinedCount === 3);
    await until("and there by name", () => (
        JSON.stringify(taro.getRooms().map((room) => room.name).sort()) === JSON.stringify(["一丁目", "三丁目", "二丁目"].sort())
    ));
    const texts = () => taro.getRoom(rooms[0]).getLiveTimeline().getEvents().map((event) => event.getContent().body).filter(Boolean);
    check("of each the newest event", texts(), ["11"]);
    sliding.modifyRoomSubscriptions(new Set([rooms[0]]));
    await until("an opened room shows more", () => texts().length === 12);
    const { event_id: eventId } = await hanako.sendTextMessage(rooms[1], "速報");
    await seen(taro, rooms[1], eventId, "what is said arrives");
    await until("and counts", () => taro.getRoom(rooms[1]).getUnreadNotificationCount("total") >= 1);
    await taro.sendReadReceipt(taro.getRoom(rooms[1]).findEventById(eventId));
    await until("until it is read", () => taro.getRoom(rooms[1]).getUnreadNotificationCount("total") === 0);
    await hanako.sendTyping(rooms[0], true, 10_000);
    await until("typing shows", () => taro.getRoom(rooms[0]).getMember(userId("hanako"))?.typing);
    const { room_id: invitedTo } = await hanako.createRoom({ name: "四丁目", invite: [userId("taro")] });
    await until("an invitation comes", () => taro.getRoom(invitedTo)?.getMyMembership() === "invite");
    await until("with the room's name", () => taro.getRoom(invitedTo).name === "四丁目");
    await taro.joinRoom(invitedTo);
    await until("and is taken", () => taro.getRoom(invitedTo).getMyMembership() === "join");
    const { event_id: ownId } = await taro.sendTextMessage(invitedTo, "来ました");
    await until("the own message is there once", () => (
        taro.getRoom(invitedTo).getLiveTimeline().getEvents().filter((event) => event.getId() === ownId).length === 1
        && taro.getRoom(invitedTo).getPendingEvents().length === 0
    ));
    await taro.setAccountData("example.setting", { size: 3 });
    await until("settings come", () => taro.getAccountData("example.setting")?.getContent().size === 3);
    await taro.leave(rooms[2]);
    await until("a room that was left is counted no more", () => sliding.getListData("all_rooms").joinedCount === 3);
}

export async function encrypted() {
    const hanako = await online("hanako", { encrypted: true });
    const taro = await logIn("taro");
    await taro.initRustCrypto({ useIndexedDB: false });
    await slide(taro);
    const { room_id: roomId } = await hanako.createRoom({
        preset: "private_chat", invite: [userId("taro")],
        initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    });
    await until("the invitation comes", () => taro.getRoom(roomId)?.getMyMembership() === "invite");
    await taro.joinRoom(roomId);
    await until("both are in", () => hanako.getRoom(roomId)?.getMember(userId("taro"))?.membership === "join");
    await until("and taro's SDK too", () => taro.getRoom(roomId).getMyMembership() === "join");
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "秘密");
    await until("it is read by a device on sliding sync", () => (
        taro.getRoom(roomId).findEventById(eventId)?.getContent().body === "秘密"
    ));
    const { event_id: answerId } = await taro.sendTextMessage(roomId, "分かった");
    await until("and answered from there", () => hanako.getRoom(roomId).findEventById(answerId)?.getContent().body === "分かった");
}

export async function restart() {
    const hanako = await online("hanako");
    const taro = await logIn("taro");
    const { room_id: roomId } = await hanako.createRoom({ name: "一丁目", invite: [userId("taro")] });
    await taro.joinRoom(roomId);
    await slide(taro);
    const { event_id: firstId } = await hanako.sendTextMessage(roomId, "停電の前");
    await seen(taro, roomId, firstId, "before, what is said arrives");
    await ask("restart");
    // As an app does when the network is back; otherwise the SDK waits for some seconds.
    hanako.on("sync", (state) => state === "RECONNECTING" && hanako.retryImmediately());
    hanako.retryImmediately();
    const { event_id: secondId } = await hanako.sendTextMessage(roomId, "停電の後");
    await seen(hanako, roomId, secondId, "after the node's restart the sender sees it");
    await seen(taro, roomId, secondId, "and so does the other, by sliding sync");
    check("nothing is there twice", taro.getRoom(roomId).getLiveTimeline().getEvents().filter((event) => event.getId() === firstId).length, 1);
}
