// On every page of somebody who is logged in: the service worker, and what of theirs waits to be sent (queue.js).
"use strict";
const waiting = document.querySelector("#waiting");
const waitingLine = document.querySelector("#waiting-line");
const MOST_SHOWN = 120;

function kindOf(item) {
  return waiting.dataset[item.path.endsWith("/stamp") ? "stamps" : item.path.split("/")[1]] || "";
}

// The words of an answer stand on the page: on the button that was pressed. A letter brings its own.
function wordsOf(item) {
  const text = fieldOf(item, "text") || fieldOf(item, "comment");
  if (text) return text;
  for (const button of document.querySelectorAll(`form[action="${CSS.escape(item.path)}"] button[name]`)) {
    if (fieldOf(item, button.name) === button.value) return button.firstChild.textContent.trim();
  }
  return "";
}

function stateOf(item) {
  if (!item.failed) return item.lacks ? waiting.dataset.lacks : "";
  return [waiting.dataset.failed, /^\d{3}$/.test(item.failed) ? "" : item.failed].join(" ");
}

function lineOf(item) {
  const line = waitingLine.content.cloneNode(true);
  const at = new Date(item.at).toLocaleString(document.documentElement.lang, {
    month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Tokyo",
  });
  const words = wordsOf(item);
  const photos = item.fields.filter(([, value]) => typeof value !== "string").length;
  line.querySelector("[data-what]").textContent = kindOf(item);
  line.querySelector("[data-when]").textContent = at;
  line.querySelector("[data-state]").textContent = stateOf(item);
  // The whole of a long letter is for copying; where that cannot be done by a button it is shown.
  const isCut = words.length > MOST_SHOWN && Boolean(navigator.clipboard);
  line.querySelector("[data-words]").textContent = isCut ? `${words.slice(0, MOST_SHOWN)}…` : words;
  line.querySelector("[data-photos]").textContent = photos ? `${waiting.dataset.photos} ${photos}` : "";
  const copy = line.querySelector("[data-copy]");
  copy.hidden = !(words && (item.failed || isCut) && navigator.clipboard);
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words);
    copy.textContent = waiting.dataset.copied;
  });
  line.querySelector("[data-drop]").addEventListener("click", () => queue.drop(item.id).then(showWaiting));
  return line;
}

async function showWaiting() {
  const items = (await queue.all().catch(() => [])).filter((item) => item.person === waiting.dataset.person);
  waiting.hidden = items.length === 0;
  waiting.querySelector("[data-not-yet]").hidden = items.every((item) => item.failed);
  waiting.querySelector("ul").replaceChildren(...items.map(lineOf));
}

function isWriting() {
  return [...document.querySelectorAll("textarea, input[type=text]")].some((field) => field.value !== field.defaultValue);
}

async function showArrived() {
  await showWaiting();
  // What has arrived is read from the node, not from here; but nobody's half a letter is lost for it.
  if (!isWriting()) location.assign(location.pathname === "/kept" ? "/" : location.href);
}

function sendNow() {
  navigator.serviceWorker.ready.then((found) => found.active.postMessage({ person: waiting.dataset.person }));
}

// The page of what is kept is the same for days, and each letter written on it is another one.
function renumber() {
  for (const field of document.querySelectorAll("form[data-again] input[name=once]")) field.value = crypto.randomUUID();
}

if (waiting && "serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/sw.js");
  navigator.serviceWorker.addEventListener("message", (event) => { if (event.data && event.data.arrived) showArrived(); });
  window.addEventListener("online", sendNow);
  window.addEventListener("pageshow", renumber);
  showWaiting();
  sendNow();
}

// On the page of what is kept: open what the address asks for.
const asked = location.pathname.match(/^\/circulars\/([^/]+)$/);
const part = asked && document.getElementById(`kept-${asked[1]}`);
if (part) {
  part.open = true;
  part.scrollIntoView();
}

// A button to install the app, where the browser offers it.
const install = document.querySelector("#install");
window.addEventListener("beforeinstallprompt", (event) => {
  if (!install) return;
  event.preventDefault();
  install.hidden = false;
  install.querySelector("button").addEventListener("click", () => event.prompt());
});
