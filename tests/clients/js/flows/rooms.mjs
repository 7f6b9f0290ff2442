// Rooms as such: spaces, upgrades, directory, coming and going, files.

import { createHash } from "node:crypto";
import * as sdk from "matrix-js-sdk";
import { RoomHierarchy } from "matrix-js-sdk/lib/room-hierarchy.js";

import { check, online, refused, seen, sharedRoom, until, userId, world } from "../harness.mjs";

const { EventType, JoinRule, Preset, RoomType, Visibility } = sdk;

export async function spaces() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const { room_id: spaceId } = await hanako.createRoom({
        name: "桜町", preset: Preset.PublicChat, creation_content: { type: RoomType.Space },
    });
    const { room_id: openId } = await hanako.createRoom({
        name: "会員のみ", preset: Preset.PrivateChat, initial_state: [{
            type: EventType.RoomJoinRules, state_key: "",
            content: { join_rule: JoinRule.Restricted, allow: [{ type: "m.room_membership", room_id: spaceId }] },
        }],
    });
    const { room_id: closedId } = await hanako.createRoom({ name: "役員", preset: Preset.PrivateChat });
    for (const roomId of [openId, closedId]) {
        await hanako.sendStateEvent(spaceId, EventType.SpaceChild, { via: [world.serverName], suggested: roomId === openId }, roomId);
    }
    await refused("who is not in the space may not enter its rooms", "M_FORBIDDEN", taro.joinRoom(openId));
    await taro.joinRoom(spaceId);
    const space = await until("the space is one", () => {
        const room = taro.getRoom(spaceId);
        return room?.getMyMembership() === "join" && room.isSpaceRoom() && room;
    });
    const hierarchy = new RoomHierarchy(space, 20);
    await hierarchy.load();
    check("its hierarchy shows what one may see", hierarchy.rooms.map((room) => room.name), ["桜町", "会員のみ"]);
    check("and what is suggested", hierarchy.isSuggested(spaceId, openId));
    await taro.joinRoom(openId);
    await until("a member of the space enters its room", () => taro.getRoom(openId)?.getMyMembership() === "join");
    await refused("but not the closed one", "M_FORBIDDEN", taro.joinRoom(closedId));
    const summary = await taro.getRoomSummary(openId);
    check("a summary tells of a room", [summary.name, summary.num_joined_members], ["会員のみ", 2]);
}

export async function upgrade() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const oldId = await sharedRoom(hanako, [taro], { name: "回覧板", room_version: "11" });
    check("the room is of version 11", hanako.getRoom(oldId).getVersion(), "11");
    check("the node's own version is 12", (await hanako.getCapabilities())["m.room_versions"].default, "12");
    check("the founder may upgrade", hanako.getRoom(oldId).userMayUpgradeRoom(userId("hanako")));
    await refused("a member may not", "M_FORBIDDEN", taro.upgradeRoom(oldId, "12"));
    await refused("nor into a version that is none", "M_UNSUPPORTED_ROOM_VERSION", hanako.upgradeRoom(oldId, "none"));
    const { replacement_room: newId } = await hanako.upgradeRoom(oldId, "12");
    const stone = await until("the old room points to the new one", () => (
        taro.getRoom(oldId).currentState.getStateEvents(EventType.RoomTombstone, "")
    ));
    check("by its tombstone", stone.getContent().replacement_room, newId);
    await hanako.invite(newId, userId("taro"));
    await taro.joinRoom(newId, { viaServers: [world.serverName] });
    const next = await until("members follow", () => {
        const room = taro.getRoom(newId);
        return room?.getMyMembership() === "join" && room.getVersion() === "12" && room;
    });
    check("the new room knows where it comes from", next.findPredecessor().roomId, oldId);
    await until("it has the old one's name", () => next.name === "回覧板");
    check("the SDK knows both as one room's history", (await taro.getRoomUpgradeHistory(newId, true)).map((room) => room.roomId), [oldId, newId]);
    check("the old one is not shown any more", taro.getVisibleRooms().some((room) => room.roomId === oldId), false);
    await refused("nobody talks in the old one", "M_FORBIDDEN", taro.sendTextMessage(oldId, "まだ?"));
    const { event_id: eventId } = await hanako.sendTextMessage(newId, "こちらです");
    await seen(taro, newId, eventId, "and they talk on in the new one");
}

export async function directory() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const { room_id: roomId } = await hanako.createRoom({
        name: "町内のひろば", preset: Preset.PublicChat, visibility: Visibility.Public, room_alias_name: "hiroba", topic: "みんなで",
    });
    const alias = `#hiroba:${world.serverName}`;
    check("an alias leads to the room", (await taro.getRoomIdForAlias(alias)).room_id, roomId);
    const listed = await taro.publicRooms({ limit: 5, filter: { generic_search_term: "ひろば" } });
    check("the directory finds it", listed.chunk.map((room) => room.room_id), [roomId]);
    await taro.joinRoom(alias);
    await until("one enters by the alias", () => taro.getRoom(roomId)?.getCanonicalAlias() === alias);
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "防災訓練のお知らせ");
    await seen(taro, roomId, eventId);
    const found = await taro.searchRoomEvents({ term: "防災" });
    check("a search finds the words", found.results.map((one) => one.context.getEvent().getId()), [eventId]);
    await hanako.kick(roomId, userId("taro"), "騒音");
    await until("who is put out sees it", () => taro.getRoom(roomId).getMyMembership() === "leave");
    await hanako.ban(roomId, userId("taro"));
    await refused("who is banned stays outside", "M_FORBIDDEN", taro.joinRoom(roomId));
    await hanako.unban(roomId, userId("taro"));
    await hanako.sendStateEvent(roomId, EventType.RoomJoinRules, { join_rule: JoinRule.Knock });
    await taro.knockRoom(roomId, { reason: "入れてください" });
    await until("one knocks", () => taro.getRoom(roomId).getMyMembership() === "knock");
    await until("and is heard", () => hanako.getRoom(roomId).getMember(userId("taro"))?.membership === "knock");
    await hanako.invite(roomId, userId("taro"));
    await taro.joinRoom(roomId);
    await until("and comes in", () => taro.getRoom(roomId).getMyMembership() === "join");
}

export async function files() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const dot = Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==", "base64",
    );
    const { content_uri: uri } = await hanako.uploadContent(new Blob([dot], { type: "image/png" }), { name: "点.png" });
    const info = { mimetype: "image/png", size: dot.length, w: 1, h: 1 };
    const { event_id: eventId } = await hanako.sendImageMessage(roomId, uri, info, "点.png");
    const image = (await seen(taro, roomId, eventId)).getContent();
    const authorization = { headers: { Authorization: `Bearer ${taro.getAccessToken()}` } };
    const url = taro.mxcUrlToHttp(image.url, undefined, undefined, undefined, false, true, true);
    const bytes = Buffer.from(await (await fetch(url, authorization)).arrayBuffer());
    check("the other gets the same file", sha256(bytes), sha256(dot));
    check("nobody does without being logged in", (await fetch(url)).status, 401);
    const small = await fetch(taro.mxcUrlToHttp(image.url, 32, 32, "scale", false, true, true), authorization);
    check("there is a small picture", [small.status, small.headers.get("content-type").startsWith("image/")], [200, true]);
    const { "m.upload.size": most } = await taro.getMediaConfig(true);
    await refused("what is too large is refused", "M_TOO_LARGE", hanako.uploadContent(new Blob([new Uint8Array(most + 1)])));
    await hanako.setAvatarUrl(uri);
    await until("a portrait shows in the room", () => taro.getRoom(roomId).getMember(userId("hanako")).getMxcAvatarUrl() === uri);
}

function sha256(bytes) {
    return createHash("sha256").update(bytes).digest("hex");
}
