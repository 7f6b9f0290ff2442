// What works without signal: the page of what is kept (circulars, shelters, telephone numbers, the safety buttons), and
// answers that wait until the signal is back. The node puts FILES and VERSION before this text (pages/app_shell.py).
"use strict";
const SHELL = `shell-${VERSION}`;
const KEPT = "kept";
const KEPT_PAGE = "/kept";
const ANSWERS = /^\/(safety\/[^/]+|polls\/[^/]+|circulars\/[^/]+\/acknowledge)$/;
const PAGE_MS = 12000;
const ANSWER_MS = 30000;
const FRESH_MS = 60000;
let keptAt = 0;
let sending = null;

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
  else if (event.request.method === "POST" && ANSWERS.test(url.pathname)) event.respondWith(answer(event, url));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "answers") event.waitUntil(sendAnswers());
});

self.addEventListener("message", (event) => {
  if (event.data === "send") event.waitUntil(sendAnswers());
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
    event.waitUntil(sendAnswers().then(keepPage));
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
  const body = await event.request.clone().text();
  try {
    return await inTime(fetch(event.request), ANSWER_MS);
  } catch {
    await withAnswers("readwrite", (store) => store.add({ path: url.pathname, body, at: Date.now(), failed: "" }));
    if (self.registration.sync) await self.registration.sync.register("answers").catch(() => {});
    return Response.redirect(KEPT_PAGE, 303);
  }
}

function sendAnswers() {
  sending = sending || sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  const arrived = [];
  for (const item of await withAnswers("readonly", (store) => store.getAll())) {
    if (item.failed) continue;
    let reply;
    try {
      reply = await fetch(item.path, {
        method: "POST", body: item.body, credentials: "same-origin", redirect: "manual", cache: "no-store",
        headers: { "Content-Type": "application/x-www-form-urlencoded", "Kairan-Kept": String(item.at) },
      });
    } catch {
      return; // No signal yet.
    }
    if (reply.status === 200) {
      const told = await reply.json();
      arrived.push({ path: item.path, clock: told.clock });
      await withAnswers("readwrite", (store) => store.delete(item.id));
    } else if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) {
      const told = await reply.json().catch(() => ({ reason: "" }));
      await withAnswers("readwrite", (store) => store.put({ ...item, failed: told.reason || String(reply.status) }));
    } else {
      return; // The node asks us to wait.
    }
  }
  if (arrived.length === 0) return;
  keptAt = 0;
  for (const client of await self.clients.matchAll()) client.postMessage({ arrived });
}

function withAnswers(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("kairan", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("answers", { keyPath: "id", autoIncrement: true });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction("answers", mode);
      const request = work(transaction.objectStore("answers"));
      transaction.oncomplete = () => { database.close(); resolve(request.result); };
      transaction.onerror = () => { database.close(); reject(transaction.error); };
    };
  });
}

// ---- notifications: what the node says, with buttons that answer ------------------------------------------------

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : null;
  if (said) event.waitUntil(self.registration.showNotification(said.title, asShown(said)));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const said = event.notification.data;
  if (event.action && said.token) event.waitUntil(answerFrom(said, event.action));
  else event.waitUntil(openPage(said.address));
});

function asShown(said) {
  return {
    body: said.body, tag: said.tag, renotify: said.alert, requireInteraction: said.alert, data: said,
    icon: FILES.find((file) => file.includes("icon-192")), actions: said.actions.slice(0, Notification.maxActions || 2),
  };
}

async function answerFrom(said, choice) {
  const body = new URLSearchParams({ token: said.token, choice }).toString();
  const chosen = said.actions.find((item) => item.action === choice);
  const item = { path: "/push/answer", body, at: Date.now(), failed: "" };
  try {
    const reply = await fetch(item.path, {
      method: "POST", body, credentials: "same-origin", redirect: "manual", cache: "no-store",
      headers: { "Content-Type": "application/x-www-form-urlencoded", "Kairan-Kept": String(item.at) },
    });
    const told = await reply.json();
    const text = reply.ok ? `届きました ${told.clock}　${chosen ? chosen.title : ""}` : told.reason;
    await self.registration.showNotification(said.title, asShown({ ...said, body: text, alert: false, actions: [] }));
  } catch {
    await withAnswers("readwrite", (store) => store.add(item));
    if (self.registration.sync) await self.registration.sync.register("answers").catch(() => {});
    const text = `まだ送っていません　${chosen ? chosen.title : ""}`;
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
