// What works without signal: the page of what is kept (circulars, shelters, telephone numbers, things to answer), and
// forms that wait until the signal is back (queue.js). The node puts FILES and VERSION before this text
// (pages/app_shell.py).
"use strict";
importScripts(FILES.find((file) => file.includes("queue")));
const SHELL = `shell-${VERSION}`;
const KEPT = "kept";
const KEPT_PAGE = "/kept";
// Forms that may wait: sending one of them twice does no harm.
const MAY_WAIT = new RegExp("^/(" + [
  "safety/[^/]+(/family)?", "polls/[^/]+(/take-back)?", "gatherings/[^/]+/answer", "circulars/[^/]+/(acknowledge|stamp)", "talk",
].join("|") + ")$");
const PAGE_MS = 12000;
const ANSWER_MS = 30000;
const LETTER_MS = 120000;
const FRESH_MS = 60000;
let keptAt = 0;
let keptFor = "";
let sending = null;
let showing = Promise.resolve();

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== SHELL && name !== KEPT) await caches.delete(name);
    await self.clients.claim();
    await keepPage();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(shellFile(event.request));
  else if (event.request.mode !== "navigate") return;
  else if (event.request.method === "GET") event.respondWith(page(event));
  else if (event.request.method === "POST" && MAY_WAIT.test(url.pathname)) event.respondWith(answer(event, url));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "waiting") event.waitUntil(sendWaiting());
});

self.addEventListener("message", (event) => {
  // A page of somebody else than who is kept: what is kept is theirs from now on.
  if (event.data.person !== keptFor) keptAt = 0;
  keptFor = event.data.person;
  event.waitUntil(sendWaiting().then(keepPage));
});

function inTime(work, ms) {
  return Promise.race([work, new Promise((_, reject) => { setTimeout(reject, ms, new Error("too late")); })]);
}

async function shellFile(request) {
  return (await caches.match(request)) || fetch(request);
}

async function page(event) {
  try {
    const found = await inTime(fetch(event.request), PAGE_MS);
    event.waitUntil(sendWaiting().then(keepPage));
    return found;
  } catch {
    const kept = await caches.open(KEPT).then((cache) => cache.match(KEPT_PAGE));
    return kept || Response.error();
  }
}

// The whole of what is kept is one page; whoever is logged out keeps nothing.
async function keepPage() {
  if (Date.now() - keptAt < FRESH_MS) return;
  keptAt = Date.now();
  try {
    const found = await fetch(KEPT_PAGE, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
    const cache = await caches.open(KEPT);
    if (found.status === 200) await cache.put(KEPT_PAGE, found);
    else if (found.type === "opaqueredirect" || found.status === 403) await cache.delete(KEPT_PAGE);
  } catch {
    keptAt = 0;
  }
}

async function answer(event, url) {
  const copy = event.request.clone();
  const at = Date.now();
  if (sending) await inTime(sending, ANSWER_MS).catch(() => {});
  if ((await queue.all()).length > 0) await dropOlder(asItem(url.pathname, await copy.clone().formData(), at));
  try {
    return await inTime(fetch(event.request), url.pathname === "/talk" ? LETTER_MS : ANSWER_MS);
  } catch {
    await keepForLater(asItem(url.pathname, await copy.formData(), at));
    return Response.redirect(KEPT_PAGE, 303);
  }
}

async function keepForLater(item) {
  await keepItem(item);
  if (self.registration.sync) await self.registration.sync.register("waiting").catch(() => {});
}

function sendWaiting() {
  sending = sending || sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  const items = (await queue.all()).filter((item) => !item.failed);
  if (items.length === 0) return;
  const here = await whoIsHere();
  let hasArrived = false;
  for (const item of items) {
    if (item.person && item.person !== here.person) continue; // waits for whoever wrote it
    let reply;
    try {
      reply = await send(item, here.proof);
    } catch {
      break; // No signal yet.
    }
    if (reply.status === 200) {
      await queue.drop(item.id);
      hasArrived = true;
    } else if (reply.status === 429) {
      break; // The node asks us to wait.
    } else if (reply.status >= 400 && reply.status < 500 && reply.status !== 401) {
      const told = await reply.json().catch(() => ({ reason: "" }));
      await queue.put({ ...item, failed: told.reason || String(reply.status) });
      hasArrived = true;
    }
  }
  if (!hasArrived) return;
  keptAt = 0;
  for (const client of await self.clients.matchAll()) client.postMessage({ arrived: true });
}

// Who is logged in now, and the proof that forms of theirs need.
async function whoIsHere() {
  try {
    const found = await fetch("/kept/who", { credentials: "same-origin", cache: "no-store", headers: { "Kairan-Kept": "" } });
    return found.status === 200 ? await found.json() : { person: null, proof: "" };
  } catch {
    return { person: null, proof: "" };
  }
}

function send(item, proof) {
  const body = new FormData();
  for (const [name, value] of item.fields) body.append(name, name === "form_proof" ? proof : value);
  return fetch(item.path, {
    method: "POST", body, credentials: "same-origin", redirect: "manual", cache: "no-store",
    headers: { "Kairan-Kept": item.person },
  });
}

// ---- notifications: what the node says, with buttons that answer ------------------------------------------------

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : null;
  if (!said) return;
  showing = showing.then(() => show(said));
  event.waitUntil(showing);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const said = event.notification.data;
  if (event.action && said.token) event.waitUntil(answerFrom(said, event.action));
  else event.waitUntil(openPage(said.address));
});

// A family with one telephone: what is for several of them rings once and says for whom; one answers on the page.
async function show(said) {
  const shown = said.name ? await self.registration.getNotifications({ tag: said.tag }) : [];
  const before = shown.flatMap((item) => (item.data && item.data.names) || []);
  const names = [...new Set([...before, said.name])].filter(Boolean);
  const title = names.length ? `${said.title}（${names.join("・")}）` : said.title;
  const alone = names.length < 2;
  const told = { ...said, title, names, actions: alone ? said.actions : [], token: alone ? said.token : "" };
  await self.registration.showNotification(title, { ...asShown(told), renotify: said.alert && alone });
}

function asShown(said) {
  return {
    body: said.body, tag: said.tag, renotify: said.alert, requireInteraction: said.alert, data: said,
    icon: FILES.find((file) => file.includes("icon-192")), actions: said.actions.slice(0, Notification.maxActions || 2),
  };
}

async function answerFrom(said, choice) {
  const form = new FormData();
  form.append("token", said.token);
  form.append("choice", choice);
  const chosen = said.actions.find((item) => item.action === choice);
  const item = asItem("/push/answer", form, Date.now());
  try {
    const reply = await send(item, "");
    const told = await reply.json();
    const text = reply.ok ? `${said.words.arrived} ${told.clock}　${chosen ? chosen.title : ""}` : told.reason;
    await self.registration.showNotification(said.title, asShown({ ...said, body: text, alert: false, actions: [] }));
  } catch {
    await keepForLater(item);
    const text = `${said.words.waiting}　${chosen ? chosen.title : ""}`;
    await self.registration.showNotification(said.title, asShown({ ...said, body: text, alert: false, actions: [] }));
  }
}

async function openPage(address) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.length > 0) {
    await windows[0].focus();
    return windows[0].navigate(address);
  }
  return self.clients.openWindow(address);
}
