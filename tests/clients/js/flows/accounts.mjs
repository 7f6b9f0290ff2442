// What belongs to somebody and not to a room: versions, profile, presence, settings, rules, devices.

import * as sdk from "matrix-js-sdk";

import { check, logIn, online, refused, seen, sharedRoom, until, userId, world } from "../harness.mjs";

const { NotificationCountType, PushRuleKind, PushRuleActionName, RuleId } = sdk;

export async function comingIn() {
    const door = sdk.createClient({ baseUrl: world.url });
    const { versions } = await door.getVersions();
    check("the SDK finds a version that it speaks", versions.some((version) => sdk.SUPPORTED_MATRIX_VERSIONS.includes(version)));
    check("and sliding sync", await door.doesServerSupportUnstableFeature("org.matrix.simplified_msc3575"));
    check("a password is a way in", (await door.loginFlows()).flows.some((flow) => flow.type === "m.login.password"));
    await refused("a wrong password is none", "M_FORBIDDEN", door.loginWithPassword("hanako", "wrong"));
    const found = await sdk.AutoDiscovery.fromDiscoveryConfig({ "m.homeserver": { base_url: world.url } });
    check("the SDK takes the node for a homeserver", found["m.homeserver"].state, "SUCCESS");
    const hanako = await online("hanako", { deviceName: "居間" });
    check("it knows who one is", (await hanako.whoami()).user_id, userId("hanako"));
    const rooms = (await hanako.getCapabilities())["m.room_versions"];
    check("rooms are of version 12 by default", rooms.default, "12");
    check("the device is listed", (await hanako.getDevices()).devices.map((device) => device.display_name), ["居間"]);
    const second = await logIn("hanako", { deviceName: "携帯" });
    await asked("a device is put out with a password", (auth) => hanako.deleteDevice(second.getDeviceId(), auth));
    await refused("and is out", "M_UNKNOWN_TOKEN", second.whoami());
    const third = await online("hanako");
    let out = false;
    third.on("Session.logged_out", () => { out = true; });
    await asked("a password is changed", (auth) => hanako.setPassword(auth, "plum-blossom-7", true));
    await until("other devices notice that they are out", () => out);
    await hanako.logout(true);
    await refused("logging out ends it", "M_UNKNOWN_TOKEN", hanako.whoami());
    const token = (await door.loginWithPassword("hanako", "plum-blossom-7")).access_token;
    check("the new password holds", Boolean(token));
}

/** That `action` asks for the password first, and then goes through. */
async function asked(sentence, action) {
    const question = await action(undefined).then(() => null, (error) => error);
    check("the node asks who it is", question?.data?.flows?.some((flow) => flow.stages.includes("m.login.password")));
    await action({
        type: "m.login.password", session: question.data.session, password: world.password,
        identifier: { type: "m.id.user", user: userId("hanako") },
    });
    check(sentence, true);
}

export async function renewal() {
    const door = sdk.createClient({ baseUrl: world.url });
    const first = await door.loginRequest({
        type: "m.login.password", identifier: { type: "m.id.user", user: "hanako" }, password: world.password, refresh_token: true,
    });
    check("a client that can renew its token is told when to", first.expires_in_ms > 0);
    const second = await door.refreshToken(first.refresh_token);
    const renewed = sdk.createClient({ baseUrl: world.url, accessToken: second.access_token, userId: first.user_id });
    check("the new token is of the same device", (await renewed.whoami()).device_id, first.device_id);
    const old = sdk.createClient({ baseUrl: world.url, accessToken: first.access_token, userId: first.user_id });
    await refused("the old one is none any more", "M_UNKNOWN_TOKEN", old.whoami());
    await refused("nor is what renewed it", "M_UNKNOWN_TOKEN", door.refreshToken(first.refresh_token));
}

export async function registering() {
    const door = sdk.createClient({ baseUrl: world.url });
    check("a free name is free", await door.isUsernameAvailable("jiro"));
    check("a taken one is not", await door.isUsernameAvailable("hanako"), false);
    const question = await door.registerRequest({ username: "jiro", password: world.password }).catch((error) => error.data);
    check("it says what it wants", question.flows.map((flow) => flow.stages), [["m.login.dummy"]]);
    const answer = await door.registerRequest({
        username: "jiro", password: world.password, auth: { type: "m.login.dummy", session: question.session },
    });
    check("and then there is an account", answer.user_id, userId("jiro"));
    await refused("a name is given once", "M_USER_IN_USE", door.registerRequest({ username: "jiro", password: world.password }));
}

export async function profile() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    await hanako.setDisplayName("山田花子");
    await until("a new name shows in the room", () => taro.getRoom(roomId).getMember(userId("hanako")).name === "山田花子");
    const found = await taro.searchUserDirectory({ term: "花子" });
    check("the directory of people finds it", found.results.map((person) => person.user_id), [userId("hanako")]);
    check("the profile says it", (await taro.getProfileInfo(userId("hanako"))).displayname, "山田花子");
    check("profiles have more fields", await hanako.doesServerSupportExtendedProfiles());
    await hanako.setExtendedProfileProperty("m.tz", "Asia/Tokyo");
    check("such as the time of day", await taro.getExtendedProfileProperty(userId("hanako"), "m.tz"), "Asia/Tokyo");
    await hanako.setPresence({ presence: "online", status_msg: "買い物中" });
    await until("presence shows", () => {
        const user = taro.getUser(userId("hanako"));
        return user?.presence === "online" && user.presenceStatusMsg === "買い物中";
    });
}

export async function settings() {
    const [hanako, other] = [await online("hanako"), await online("hanako")];
    const { room_id: roomId } = await hanako.createRoom({});
    await hanako.setAccountData("example.setting", { size: 3 });
    check("a setting is kept", await hanako.getAccountDataFromServer("example.setting"), { size: 3 });
    await until("and comes to the other device", () => other.getAccountData("example.setting")?.getContent().size === 3);
    await hanako.setRoomAccountData(roomId, "example.colour", { name: "赤" });
    await hanako.setRoomTag(roomId, "m.favourite", { order: 0.5 });
    await until("so do a room's", () => other.getRoom(roomId)?.getAccountData("example.colour")?.getContent().name === "赤");
    await until("and its tags", () => other.getRoom(roomId).tags["m.favourite"]?.order === 0.5);
    await hanako.setIgnoredUsers([userId("taro")]);
    await until("people are ignored on all devices", () => other.isUserIgnored(userId("taro")));
    await hanako.setLocalNotificationSettings(hanako.getDeviceId(), { is_silenced: true });
    const kind = `org.matrix.msc3890.local_notification_settings.${hanako.getDeviceId()}`;
    await until("a device says that it is silent", () => other.getAccountData(kind)?.getContent().is_silenced);
}

export async function notifications() {
    const [hanako, taro] = [await online("hanako"), await online("taro")];
    const roomId = await sharedRoom(hanako, [taro]);
    const unread = (kind) => taro.getRoom(roomId).getRoomUnreadNotificationCount(kind);
    const { event_id: firstId } = await hanako.sendTextMessage(roomId, "一");
    const first = await seen(taro, roomId, firstId);
    check("the SDK would tell of it", taro.getPushActionsForEvent(first).notify);
    await until("and so would the node", () => unread(NotificationCountType.Total) === 1);
    await taro.setRoomMutePushRule("global", roomId, true);
    await until("a muted room has its rule", () => taro.getRoomPushRule("global", roomId));
    await taro.sendReadReceipt(first);
    await until("it is read", () => unread(NotificationCountType.Total) === 0);
    const { event_id: mutedId } = await hanako.sendTextMessage(roomId, "二");
    const muted = await seen(taro, roomId, mutedId);
    check("a muted room is silent in the SDK", taro.getPushActionsForEvent(muted).notify, false);
    check("and with the node", unread(NotificationCountType.Total), 0);
    await taro.setRoomMutePushRule("global", roomId, false);
    await until("and loud again", () => !taro.getRoomPushRule("global", roomId));
    await taro.addPushRule("global", PushRuleKind.ContentSpecific, "shopping", {
        actions: [PushRuleActionName.Notify, { set_tweak: "highlight" }], pattern: "買い物",
    });
    await until("a rule for a word comes back", () => (
        taro.pushRules.global.content.some((rule) => rule.rule_id === "shopping")
    ));
    await hanako.sendTextMessage(roomId, "買い物 の 時間");
    await until("the word is told of loudly", () => unread(NotificationCountType.Highlight) === 1);
    await taro.deletePushRule("global", PushRuleKind.ContentSpecific, "shopping");
    await taro.setPushRuleEnabled("global", PushRuleKind.Underride, RuleId.Message, false);
    await until("a rule is switched off", () => (
        taro.pushRules.global.underride.find((rule) => rule.rule_id === RuleId.Message)?.enabled === false
    ));
    await refused("a rule that is not there cannot be", "M_NOT_FOUND", taro.setPushRuleEnabled("global", PushRuleKind.RoomSpecific, "!none", true));
    const pusher = {
        app_id: "example.app", app_display_name: "例", device_display_name: "携帯", kind: "http", lang: "ja", pushkey: "key",
        data: { url: "https://push.example/_matrix/push/v1/notify", format: "event_id_only" },
    };
    await taro.setPusher(pusher);
    check("a telephone is told of", (await taro.getPushers()).pushers.map((one) => one.pushkey), ["key"]);
    await taro.removePusher("key", "example.app");
    check("and not any more", (await taro.getPushers()).pushers, []);
    check("a client asks for TURN servers", typeof (await taro.turnServer()), "object");
}
