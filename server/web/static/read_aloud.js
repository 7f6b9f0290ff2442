// Reads a circular aloud with the browser's own voice. Where the browser has none, its buttons stay hidden.
"use strict";
const readAloud = document.querySelector("#read-aloud");
const readIt = document.querySelector("#read-it");
const stopReading = document.querySelector("#stop-reading");
// Browsers break off long texts, so what is read is cut at the ends of sentences.
const MOST_LETTERS = 120;

function hasVoice(lang) {
  const voices = window.speechSynthesis.getVoices();
  // Some browsers tell no list at all and speak all the same.
  return voices.length === 0 || voices.some((voice) => voice.lang.slice(0, 2).toLowerCase() === lang.slice(0, 2));
}

function textOf(element) {
  const copy = element.cloneNode(true);
  for (const reading of copy.querySelectorAll("rt, rp")) reading.remove();
  return copy.textContent;
}

function sentences() {
  const parts = [];
  for (const element of document.querySelectorAll("[data-read]")) {
    for (const sentence of textOf(element).split(/(?<=[。！？!?])|\n+|(?<=\.)\s/)) {
      for (let at = 0; at < sentence.trim().length; at += MOST_LETTERS) {
        parts.push(sentence.trim().slice(at, at + MOST_LETTERS));
      }
    }
  }
  return parts;
}

function show(isReading) {
  readIt.hidden = isReading;
  stopReading.hidden = !isReading;
  readAloud.dataset.reading = String(isReading);
}

function stop() {
  window.speechSynthesis.cancel();
  show(false);
}

function read() {
  window.speechSynthesis.cancel();
  const parts = sentences();
  show(parts.length > 0);
  parts.forEach((part, number) => {
    const spoken = new SpeechSynthesisUtterance(part);
    spoken.lang = readAloud.dataset.lang === "ja" ? "ja-JP" : readAloud.dataset.lang;
    spoken.rate = 0.9;
    if (number === parts.length - 1) spoken.onend = () => show(false);
    spoken.onerror = () => show(false);
    window.speechSynthesis.speak(spoken);
  });
  stopReading.focus();
}

if (readAloud && "speechSynthesis" in window && "SpeechSynthesisUtterance" in window) {
  const look = () => { readAloud.hidden = !hasVoice(readAloud.dataset.lang); };
  look();
  window.speechSynthesis.addEventListener?.("voiceschanged", look);
  readIt.addEventListener("click", read);
  stopReading.addEventListener("click", () => { stop(); readIt.focus(); });
  window.addEventListener("pagehide", stop);
}
