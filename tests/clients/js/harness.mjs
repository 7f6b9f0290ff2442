// People on matrix-js-sdk clients, and how a flow says what it has seen: one JSON line for every check.

import "./node20.mjs";
import { createInterface } from "node:readline";
import * as sdk from "matrix-js-sdk";

for (const level of ["log", "info", "debug", "trace"]) {
    console[level] = () => {}; // standard output is for the checks alone; warnings go to standard error
}

const LIMIT_MS = 10_000;
const clients = [];
const waiting = new Set();
let passed = 0;

function say(line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

/** What `value` must be; the flow ends where it is not. */
export function check(sentence, value, expected = true) {
    const [found, wished] = [JSON.stringify(value), JSON.stringify(expected)];
    if (found !== wished) {
        throw new Error(`${sentence}: expected ${wished}, found ${found}`);
    }
    passed += 1;
    say({ check: sentence });
}

/** That the node refuses `asked`, with this error code. */
export async function refused(sentence, errcode, asked) {
    const code = await asked.then(() => "nothing was refused", (error) => error.errcode ?? String(error));
    check(sentence, code, errcode);
}

/**
 * Waits until `seen()` gives something true (or a promise of it), looking again after everything that any client
 * tells; gives that.
 */
export function until(sentence, seen) {
    return new Promise((resolve, reject) => {
        const limit = setTimeout(() => stop(reject, new Error(`not within ${LIMIT_MS} ms: ${sentence}`)), LIMIT_MS);
        const stop = (end, value) => {
            clearTimeout(limit);
            waiting.delete(wake);
            end(value);
        };
        let [looking, again] = [false, false];
        const look = async () => {
            do {
                again = false;
                const found = await seen();
                if (found) {
                    passed += 1;
                    say({ check: sentence });
                    return stop(resolve, found);
                }
            } while (again);
            looking = false;
        };
        const wake = () => {
            again = true;
            if (!looking) {
                looking = true;
                look().catch((error) => stop(reject, error));
            }
        };
        waiting.add(wake);
        wake();
    });
}

function lookAgain() {
    queueMicrotask(() => [...waiting].forEach((wake) => wake()));
}

/** Makes `emitter` wake those who wait, whatever it emits. */
export function listenTo(emitter) {
    const emit = emitter.emit;
    emitter.emit = function (...told) {
        const heard = emit.apply(this, told);
        lookAgain();
        return heard;
    };
    return emitter;
}

/** Has the test do something to the node; resolves when it is done. */
export async function ask(wish) {
    say({ ask: wish });
    for await (const _line of createInterface({ input: process.stdin })) {
        return;
    }
}

export const world = JSON.parse(process.env.KAIRAN_WORLD);

export function userId(name) {
    return `@${name}:${world.serverName}`;
}

/** A client with a new device, logged in by password and not started. */
export async function logIn(name, options = {}) {
    const door = sdk.createClient({ baseUrl: world.url });
    const answer = await door.loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: name },
        password: world.password,
        initial_device_display_name: options.deviceName ?? "a test",
        refresh_token: false,
    });
    const client = sdk.createClient({
        baseUrl: world.url,
        userId: answer.user_id,
        deviceId: answer.device_id,
        accessToken: answer.access_token,
        timelineSupport: true,
        cryptoCallbacks: options.cryptoCallbacks ?? {},
    });
    clients.push(client);
    return listenTo(client);
}

/** Logged in, and the first /sync is through. */
export async function online(name, options = {}) {
    const client = await logIn(name, options);
    if (options.encrypted) {
        await client.initRustCrypto({ useIndexedDB: false });
    }
    await start(client, options.start);
    return client;
}

export async function start(client, options = {}) {
    await client.startClient({
        initialSyncLimit: 20, threadSupport: true, lazyLoadMembers: true, pendingEventOrdering: "detached", ...options,
    });
    await until(`${client.getUserId()} has synchronised`, () => ["PREPARED", "SYNCING"].includes(client.getSyncState()));
}

/** A room of `owner` in which the people of `others` are too, and all these clients know it. */
export async function sharedRoom(owner, others, options = {}) {
    const guests = new Map(others.map((other) => [other.getUserId(), other]));
    guests.delete(owner.getUserId());
    const { room_id: roomId } = await owner.createRoom({ preset: "private_chat", invite: [...guests.keys()], ...options });
    for (const guest of guests.values()) {
        await until("the invitation arrives", () => guest.getRoom(roomId)?.getMyMembership() === "invite");
        await guest.joinRoom(roomId);
    }
    for (const one of [owner, ...others]) {
        await until("all see who is in the room", () => {
            const room = one.getRoom(roomId);
            return room?.getMyMembership() === "join" && room.getJoinedMemberCount() === guests.size + 1;
        });
    }
    return roomId;
}

/** The event as `client` has it, once it has it. */
export async function seen(client, roomId, eventId, sentence = "the event arrives") {
    return until(sentence, () => client.getRoom(roomId)?.findEventById(eventId));
}

/** Runs one flow: the last line says how many checks held, or what failed. */
export async function run(flow) {
    try {
        await flow();
        say({ done: passed });
    } catch (error) {
        const more = error.cause ?? error.data;
        say({ failed: `${error.stack ?? error}${more ? ` ${JSON.stringify(more)}` : ""}` });
    }
    clients.forEach((client) => client.stopClient());
    process.exit(0);
}
