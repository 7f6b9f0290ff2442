// What waits to be sent, in the browser's own database, the oldest first. The service worker puts it there and sends it
// (sw.js), pages show it (app.js). Each item belongs to the person who wrote it and is sent as nobody else.
"use strict";
const STORE = "waiting";
// What browsers keep for a page is not theirs alone: larger letters go without their photos.
const MOST_FILE_BYTES = 12 * 1024 * 1024;

function withQueue(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("kairan", 2);
    opening.onupgradeneeded = () => {
      const database = opening.result;
      for (const name of [...database.objectStoreNames]) database.deleteObjectStore(name);
      database.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    };
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => { database.close(); resolve(request.result); };
      transaction.onerror = () => { database.close(); reject(transaction.error); };
      transaction.onabort = transaction.onerror;
    };
  });
}

const queue = {
  all: () => withQueue("readonly", (store) => store.getAll()),
  add: (item) => withQueue("readwrite", (store) => store.add(item)),
  put: (item) => withQueue("readwrite", (store) => store.put(item)),
  drop: (id) => withQueue("readwrite", (store) => store.delete(id)),
};

function fieldOf(item, name) {
  const found = item.fields.find((field) => field[0] === name);
  return found ? found[1] : "";
}

// What a later answer takes the place of: the same question of the same person. Letters stand beside each other.
function topicOf(item) {
  if (item.path === "/talk" || item.path === "/push/answer") return "";
  return [item.person, item.path.replace(/\/take-back$/, ""), fieldOf(item, "put") || fieldOf(item, "back")].join(" ");
}

async function dropOlder(item) {
  const topic = topicOf(item);
  if (!topic) return;
  for (const older of await queue.all()) if (topicOf(older) === topic) await queue.drop(older.id);
}

function asItem(path, form, at) {
  const fields = [...form.entries()].filter(([, value]) => typeof value === "string" || value.size > 0);
  return { path, fields, at, person: form.get("form_person") || "", failed: "", lacks: false };
}

function withoutFiles(item) {
  return { ...item, fields: item.fields.filter(([, value]) => typeof value === "string"), lacks: true };
}

async function keepItem(item) {
  const size = item.fields.reduce((sum, [, value]) => sum + (typeof value === "string" ? 0 : value.size), 0);
  await dropOlder(item);
  try {
    await queue.add(size > MOST_FILE_BYTES ? withoutFiles(item) : item);
  } catch (fault) {
    if (size === 0) throw fault;
    await queue.add(withoutFiles(item)); // the browser has no room for photos
  }
}
