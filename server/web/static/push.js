// "しらせ" on my page: asks the browser for a subscription and sends it with the form.
"use strict";
const form = document.querySelector("#push-on");
const off = document.querySelector("#push-off");

function asBytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

function show(selector, isShown) {
  const part = document.querySelector(selector);
  if (part) part.hidden = !isShown;
}

async function subscribed(key) {
  const registration = await navigator.serviceWorker.ready;
  const old = await registration.pushManager.getSubscription();
  if (old) await old.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: asBytes(key) });
}

async function switchOn(event) {
  event.preventDefault();
  if (await Notification.requestPermission() !== "granted") {
    show("#push-denied", true);
    return;
  }
  try {
    const made = (await subscribed(form.dataset.key)).toJSON();
    form.elements.endpoint.value = made.endpoint;
    form.elements.p256dh.value = made.keys.p256dh;
    form.elements.auth.value = made.keys.auth;
    form.submit();
  } catch {
    show("#push-none", true);
  }
}

if (form && "PushManager" in window && "Notification" in window) {
  show("#push-none", false);
  show("#push-denied", Notification.permission === "denied");
  form.hidden = false;
  form.addEventListener("submit", switchOn);
}

if (off && "serviceWorker" in navigator) {
  off.addEventListener("submit", () => {
    navigator.serviceWorker.ready
      .then((registration) => registration.pushManager.getSubscription())
      .then((made) => made && made.unsubscribe());
  });
}
