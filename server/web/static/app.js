// On every page of somebody who is logged in: the service worker, and what waits to be sent (sw.js keeps it).
"use strict";
const waiting = document.querySelector("#waiting");

async function answersThatWait() {
  return new Promise((resolve) => {
    const opening = indexedDB.open("kairan", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("answers", { keyPath: "id", autoIncrement: true });
    opening.onerror = () => resolve([]);
    opening.onsuccess = () => {
      const request = opening.result.transaction("answers").objectStore("answers").getAll();
      request.onsuccess = () => { opening.result.close(); resolve(request.result); };
      request.onerror = () => { opening.result.close(); resolve([]); };
    };
  });
}

// The words of an answer stand on the page: on the button that was pressed.
function wordsOf(item) {
  const fields = new URLSearchParams(item.body);
  for (const button of document.querySelectorAll(`form[action="${CSS.escape(item.path)}"] button[name]`)) {
    if (fields.get(button.name) === button.value) return button.firstChild.textContent.trim();
  }
  return "";
}

function lineOf(item) {
  const line = document.createElement("li");
  const at = new Date(item.at).toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit" });
  const state = item.failed ? waiting.dataset.failed : waiting.dataset.waiting;
  line.textContent = [at, wordsOf(item), state, item.failed].filter((part) => part && !/^\d{3}$/.test(part)).join("　");
  return line;
}

async function showWaiting() {
  const items = await answersThatWait();
  waiting.hidden = items.length === 0;
  waiting.querySelector("ul").replaceChildren(...items.map(lineOf));
}

function tell(kind) {
  navigator.serviceWorker.ready.then((registration) => registration.active.postMessage(kind));
}

if (waiting && "serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/sw.js");
  navigator.serviceWorker.addEventListener("message", (event) => {
    // What has arrived is read from the node, not from here.
    if (event.data && event.data.arrived) location.assign(location.pathname === "/kept" ? "/" : location.href);
  });
  window.addEventListener("online", () => tell("send"));
  document.querySelector("#drop-failed").addEventListener("click", () => {
    const opening = indexedDB.open("kairan", 1);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("answers", "readwrite");
      transaction.objectStore("answers").clear();
      transaction.oncomplete = () => { opening.result.close(); showWaiting(); };
    };
  });
  showWaiting();
  tell("send");
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
