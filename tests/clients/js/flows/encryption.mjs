// Encryption from end to end: devices, cross-signing, secret storage, key backup, verification.

import { M_POLL_KIND_DISCLOSED } from "matrix-js-sdk/lib/@types/polls.js";
import { CryptoEvent, VerificationPhase, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { PollResponseEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollResponseEvent.js";
import { PollStartEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollStartEvent.js";
import { RustBackupManager } from "matrix-js-sdk/lib/rust-crypto/backup.js";

import { check, listenTo, online, seen, sharedRoom, until, userId, world } from "../harness.mjs";

const ENCRYPTED = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

/** Keeps the key of somebody's secret storage, as a person who has written it down. */
class Notebook {
    key = null;
    callbacks = {
        getSecretStorageKey: async ({ keys }) => (this.key ? [Object.keys(keys)[0], this.key] : null),
    };
}

function device(name, notebook = new Notebook()) {
    return online(name, { encrypted: true, cryptoCallbacks: notebook.callbacks });
}

function uia(name) {
    return async (makeRequest) => {
        try {
            return await makeRequest(null);
        } catch (error) {
            if (!error.data?.session) {
                throw error;
            }
            check("the node asks for the password", error.data.flows.some((flow) => flow.stages.includes("m.login.password")));
            return makeRequest({
                type: "m.login.password", session: error.data.session, password: world.password,
                identifier: { type: "m.id.user", user: userId(name) },
            });
        }
    };
}

const withoutAsking = (makeRequest) => makeRequest(null);

function encryptedRoom(owner, others) {
    return sharedRoom(owner, others, { initial_state: [ENCRYPTED] });
}

function reads(client, roomId, eventId, words) {
    return until(`${client.getUserId()} reads ${words}`, () => (
        client.getRoom(roomId)?.findEventById(eventId)?.getContent().body === words
    ));
}

/** Whether `client` has heard that the devices of `name` have changed, from now on. */
function devicesOf(client, name) {
    const news = { told: false };
    client.on(CryptoEvent.DevicesUpdated, (users) => { news.told ||= users.includes(userId(name)); });
    return news;
}

/** Cross-signing, secret storage and a key backup, as a client sets them up at its first login. */
async function setUp(client, notebook, { backup = true } = {}) {
    const crypto = client.getCrypto();
    await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: withoutAsking });
    const key = await crypto.createRecoveryKeyFromPassphrase();
    notebook.key = key.privateKey;
    await crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => key, setupNewSecretStorage: true, setupNewKeyBackup: backup,
    });
    const last = backup ? "m.megolm_backup.v1" : "m.cross_signing.user_signing";
    await until("the secrets come back with /sync", () => client.getAccountData(last));
    check("cross-signing is ready", await crypto.isCrossSigningReady());
    check("secret storage is ready", await crypto.isSecretStorageReady());
    check("a key backup is on, or not", Boolean(await crypto.getActiveSessionBackupVersion()), backup);
}

/** A new device takes the identity from secret storage, as after "enter your recovery key". */
async function unlock(client) {
    check("the account has an identity", await client.getCrypto().userHasCrossSigningKeys(client.getUserId(), true));
    await client.getCrypto().bootstrapCrossSigning({ authUploadDeviceSigningKeys: withoutAsking });
    check("a new device fetches it from secret storage", await client.getCrypto().isCrossSigningReady());
    await until("and is signed with it", async () => (
        (await client.getCrypto().getDeviceVerificationStatus(client.getUserId(), client.getDeviceId())).crossSigningVerified
    ));
}

export async function chat() {
    const [hanako, taro] = [await device("hanako"), await device("taro")];
    const roomId = await encryptedRoom(hanako, [taro]);
    check("the room is encrypted for the SDK", await taro.getCrypto().isEncryptionEnabledInRoom(roomId));
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "秘密の話");
    await reads(taro, roomId, eventId, "秘密の話");
    const stored = await taro.fetchRoomEvent(roomId, eventId);
    check("the node has it without the words", [stored.type, JSON.stringify(stored).includes("秘密")], ["m.room.encrypted", false]);
    const news = devicesOf(hanako, "taro");
    const phone = await device("taro");
    await until("a new device is noticed", () => news.told);
    const { event_id: secondId } = await hanako.sendTextMessage(roomId, "新しい端末へ");
    await reads(phone, roomId, secondId, "新しい端末へ");
    await reads(taro, roomId, secondId, "新しい端末へ");
    const { event_id: thirdId } = await phone.sendTextMessage(roomId, "聞こえます");
    await reads(hanako, roomId, thirdId, "聞こえます");
    await reads(taro, roomId, thirdId, "聞こえます");
    const { event_id: reactionId } = await taro.sendEvent(roomId, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: secondId, key: "✅" },
    });
    await seen(hanako, roomId, reactionId, "a reaction comes");
    await threadAndPoll(hanako, taro, roomId);
    const jiro = await device("jiro");
    await hanako.invite(roomId, userId("jiro"));
    await until("somebody more is invited", () => jiro.getRoom(roomId)?.getMyMembership() === "invite");
    await jiro.joinRoom(roomId);
    await until("and is in", () => hanako.getRoom(roomId).getMember(userId("jiro"))?.membership === "join");
    const { event_id: fourthId } = await hanako.sendTextMessage(roomId, "三人で");
    await reads(jiro, roomId, fourthId, "三人で");
    await phone.logout(true);
    const { event_id: fifthId } = await hanako.sendTextMessage(roomId, "続き");
    await reads(taro, roomId, fifthId, "続き");
    await until("a device that was logged out is gone", async () => {
        const devices = (await hanako.getCrypto().getUserDeviceInfo([userId("taro")])).get(userId("taro"));
        return devices.size === 1 && devices.has(taro.getDeviceId());
    });
}

/** The node sees neither thread answers nor votes in an encrypted room; clients find both by their relations. */
async function threadAndPoll(hanako, taro, roomId) {
    const { event_id: rootId } = await hanako.sendTextMessage(roomId, "祭り");
    await reads(taro, roomId, rootId, "祭り");
    const { event_id: answerId } = await taro.sendTextMessage(roomId, rootId, "屋台");
    await until("an answer in a thread is read", () => (
        hanako.getRoom(roomId).getThread(rootId)?.replyToEvent?.getId() === answerId
        && hanako.getRoom(roomId).getThread(rootId).replyToEvent.getContent().body === "屋台"
    ));
    const question = PollStartEvent.from("来ますか", ["はい", "いいえ"], M_POLL_KIND_DISCLOSED).serialize();
    const { event_id: pollId } = await hanako.sendEvent(roomId, question.type, question.content);
    const poll = await until("a poll is read", () => taro.getRoom(roomId).polls.get(pollId));
    const vote = PollResponseEvent.from([poll.pollEvent.answers[0].id], pollId).serialize();
    await taro.sendEvent(roomId, vote.type, vote.content);
    const votes = await hanako.getRoom(roomId).polls.get(pollId).getResponses();
    listenTo(hanako.getRoom(roomId).polls.get(pollId));
    await until("and the vote", () => votes.getRelations().some((event) => event.getSender() === userId("taro")));
}

export async function crossSigning() {
    const book = new Notebook();
    const [hanako, taro] = [await device("hanako", book), await device("taro")];
    await setUp(hanako, book);
    await encryptedRoom(hanako, [taro]);
    const crypto = hanako.getCrypto();
    const own = await crypto.getDeviceVerificationStatus(userId("hanako"), hanako.getDeviceId());
    check("the own device is signed by its owner", [own.crossSigningVerified, own.signedByOwner], [true, true]);
    check("the own identity is verified", (await crypto.getUserVerificationStatus(userId("hanako"))).isVerified());
    check("others get the keys", await taro.getCrypto().userHasCrossSigningKeys(userId("hanako"), true));
    const seenByTaro = await taro.getCrypto().getDeviceVerificationStatus(userId("hanako"), hanako.getDeviceId());
    check("and see the device signed", seenByTaro.signedByOwner);
    const first = await crypto.getCrossSigningKeyId();
    let changed = false;
    taro.on(CryptoEvent.UserTrustStatusChanged, (who) => { changed ||= who === userId("hanako"); });
    await crypto.bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys: uia("hanako") });
    const second = await crypto.getCrossSigningKeyId();
    check("there is a new identity", first !== second);
    await until("others hear of it", () => changed);
    const known = await taro.getCrypto().getUserVerificationStatus(userId("hanako"));
    check("which others have not verified", known.isCrossSigningVerified(), false);
}

export async function verification() {
    const [hanakosBook, tarosBook] = [new Notebook(), new Notebook()];
    const [hanako, taro] = [await device("hanako", hanakosBook), await device("taro", tarosBook)];
    await setUp(hanako, hanakosBook);
    await setUp(taro, tarosBook);
    const roomId = await encryptedRoom(hanako, [taro]);
    await hanako.getCrypto().getUserDeviceInfo([userId("taro")], true);
    await taro.getCrypto().getUserDeviceInfo([userId("hanako")], true);
    const trusted = new Set();
    for (const [client, other] of [[hanako, "taro"], [taro, "hanako"]]) {
        client.on(CryptoEvent.UserTrustStatusChanged, (who, status) => {
            if (who === userId(other) && status.isVerified()) {
                trusted.add(other);
            }
        });
    }
    let arrived = null;
    taro.on(CryptoEvent.VerificationRequestReceived, (request) => { arrived = request; });
    const asked = listenTo(await hanako.getCrypto().requestVerificationDM(userId("taro"), roomId));
    await until("a request to compare arrives", () => arrived);
    await compare(asked, listenTo(arrived));
    await until("each has verified the other", () => trusted.size === 2);
    check("hanako has verified taro", (await hanako.getCrypto().getUserVerificationStatus(userId("taro"))).isVerified());
    const phone = await device("hanako", hanakosBook);
    await unlock(phone);
    await phone.getCrypto().getUserDeviceInfo([userId("taro")], true);
    check("and sees the signature", (await phone.getCrypto().getUserVerificationStatus(userId("taro"))).isVerified());
}

/** The verifier of a request once it is there; until then the SDK may throw. */
function verifierOf(request) {
    try {
        return request.verifier;
    } catch {
        return undefined;
    }
}

/** Two who compare emoji and find them the same. */
async function compare(asked, arrived) {
    await arrived.accept();
    await until("it is accepted", () => asked.phase === VerificationPhase.Ready);
    const begun = await asked.startVerification("m.sas.v1");
    await until("the comparison begins", () => verifierOf(arrived));
    const verifiers = [begun, arrived.verifier].map(listenTo);
    const shown = new Map();
    verifiers.forEach((verifier) => verifier.on(VerifierEvent.ShowSas, (sas) => shown.set(verifier, sas)));
    const ends = verifiers.map((verifier) => verifier.verify());
    await until("both see emoji", () => shown.size === 2);
    const emoji = verifiers.map((verifier) => shown.get(verifier).sas.emoji);
    check("the same ones", emoji[0], emoji[1]);
    await Promise.all([...shown.values()].map((sas) => sas.confirm()));
    await Promise.all(ends);
    await until("both are done", () => [asked, arrived].every((request) => request.phase === VerificationPhase.Done));
}

export async function backup() {
    RustBackupManager.maxBackupLoopStartDelayMillis = 50; // instead of up to ten seconds
    const book = new Notebook();
    const [hanako, taro] = [await device("hanako", book), await device("taro")];
    const second = await device("hanako");
    await setUp(hanako, book);
    const roomId = await encryptedRoom(hanako, [taro, second]);
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "一つ目");
    const { event_id: answerId } = await taro.sendTextMessage(roomId, "二つ目");
    await reads(second, roomId, eventId, "一つ目");
    await reads(hanako, roomId, answerId, "二つ目");
    await until("both keys are in the backup", async () => {
        const fresh = await hanako.http.authedRequest("GET", "/room_keys/version", undefined, undefined, { prefix: "/_matrix/client/v3" });
        return fresh.count === 2;
    });
    const info = await hanako.getCrypto().getKeyBackupInfo();
    const third = await device("hanako", book);
    const unread = await seen(third, roomId, eventId, "a third device sees the messages");
    await until("but cannot read them", () => unread.isDecryptionFailure());
    await unlock(third);
    await third.getCrypto().loadSessionBackupPrivateKeyFromSecretStorage();
    const trust = await third.getCrypto().isKeyBackupTrusted(info);
    check("it trusts the backup", [trust.trusted, trust.matchesDecryptionKey], [true, true]);
    const restored = await third.getCrypto().restoreKeyBackup();
    check("and gets all keys back", [restored.imported, restored.total], [2, 2]);
    await reads(third, roomId, eventId, "一つ目");
    await reads(third, roomId, answerId, "二つ目");
    const { event_id: laterId } = await taro.sendTextMessage(roomId, "三つ目");
    await reads(third, roomId, laterId, "三つ目");
    await third.getCrypto().resetKeyBackup();
    const renewed = await third.getCrypto().getKeyBackupInfo();
    check("a new backup takes its place", renewed.version !== info.version);
    await third.getCrypto().deleteKeyBackupVersion(renewed.version);
    await third.getCrypto().disableKeyStorage();
    check("and can be taken away", await third.getCrypto().getKeyBackupInfo(), null);
}

export async function deviceLists() {
    const [hanako, taro] = [await device("hanako"), await device("taro")];
    const roomId = await encryptedRoom(hanako, [taro]);
    const { event_id: eventId } = await hanako.sendTextMessage(roomId, "一");
    await reads(taro, roomId, eventId, "一");
    const news = devicesOf(hanako, "taro");
    const phone = await device("taro");
    await until("a new device is told of", () => news.told);
    const devices = (await hanako.getCrypto().getUserDeviceInfo([userId("taro")])).get(userId("taro"));
    check("and known with its keys", [...devices.keys()].sort(), [taro.getDeviceId(), phone.getDeviceId()].sort());
    const batch = await hanako.getCrypto().encryptToDeviceMessages(
        "example.greeting", [{ userId: userId("taro"), deviceId: phone.getDeviceId() }], { words: "やあ" },
    );
    let greeting = null;
    phone.on("receivedToDeviceMessage", ({ message }) => { greeting = message.type === "example.greeting" ? message : greeting; });
    await hanako.queueToDevice(batch);
    await until("a message to one device arrives", () => greeting?.content.words === "やあ");
}

export async function dehydration() {
    const book = new Notebook();
    const [hanako, taro] = [await device("hanako", book), await device("taro")];
    await setUp(hanako, book, { backup: false });
    check("the node keeps dehydrated devices", await hanako.getCrypto().isDehydrationSupported());
    const roomId = await encryptedRoom(hanako, [taro]);
    const news = devicesOf(taro, "hanako");
    await hanako.getCrypto().startDehydration();
    await until("the dehydrated device is told of", () => news.told);
    await until("and known as one", async () => {
        const known = (await taro.getCrypto().getUserDeviceInfo([userId("hanako")])).get(userId("hanako"));
        return known.size === 2 && [...known.values()].some((one) => one.dehydrated);
    });
    await hanako.logout(true);
    const { event_id: eventId } = await taro.sendTextMessage(roomId, "留守の間に");
    const later = await device("hanako", book);
    const missed = await seen(later, roomId, eventId, "a later device sees what was said while there was none");
    await until("but cannot read it", () => missed.isDecryptionFailure());
    await unlock(later);
    await later.getCrypto().startDehydration();
    await reads(later, roomId, eventId, "留守の間に");
}
