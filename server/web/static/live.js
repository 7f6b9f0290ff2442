// Keeps the parts of a page fresh that carry data-live="/path". Without it the page loads itself again (noscript).
"use strict";
const EVERY_MS = 2000;

async function refresh(part) {
  if (document.hidden) return;
  const answer = await fetch(part.dataset.live, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  if (fresh.innerHTML !== part.dataset.seen) {
    part.dataset.seen = fresh.innerHTML;
    part.replaceChildren(...fresh.childNodes);
  }
}

async function keepFresh(part) {
  try {
    await refresh(part);
  } catch {
    // No signal for a moment; the next round tries again.
  }
  setTimeout(keepFresh, EVERY_MS, part);
}

for (const part of document.querySelectorAll("[data-live]")) setTimeout(keepFresh, EVERY_MS, part);
