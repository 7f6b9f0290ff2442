// Reads a circular aloud with the browser's own voice, sentence by sentence, so that one may stop and go on. A browser
// that has no voice for it says so; one that knows no speech at all shows no button.
"use strict";
const readAloud = document.querySelector("#read-aloud");
// Browsers break off long texts, so what is read is cut at the ends of sentences.
const MOST_LETTERS = 120;
// So long a voice may take until its first sound; it may have to be fetched.
const PATIENCE_MS = 8000;
const reading = { parts: [], at: 0, run: 0, watch: 0 };

function voiceFor(lang) {
  const voices = window.speechSynthesis.getVoices();
  // Some browsers tell no list at all and speak all the same.
  if (voices.length === 0) return null;
  return voices.find((voice) => voice.lang.slice(0, 2).toLowerCase() === lang.slice(0, 2));
}

function textOf(element) {
  const copy = element.cloneNode(true);
  for (const above of copy.querySelectorAll("rt, rp")) above.remove();
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

// "ask": nothing is read; "reading"; "paused"; "none": there is no voice.
function show(state) {
  const at = { "read-it": "ask none", "pause-reading": "reading", "go-on-reading": "paused",
    "stop-reading": "reading paused", "no-voice": "none" };
  for (const [id, states] of Object.entries(at)) document.getElementById(id).hidden = !states.split(" ").includes(state);
}

function silence() {
  reading.run += 1;
  clearTimeout(reading.watch);
  window.speechSynthesis.cancel();
}

function stopWith(state) {
  silence();
  show(state);
}

function speak(voice) {
  const run = reading.run;
  if (reading.at >= reading.parts.length) {
    stopWith("ask");
    return;
  }
  const spoken = new SpeechSynthesisUtterance(reading.parts[reading.at]);
  spoken.lang = readAloud.dataset.lang === "ja" ? "ja-JP" : readAloud.dataset.lang;
  if (voice) spoken.voice = voice;
  spoken.rate = 0.9;
  spoken.onstart = () => clearTimeout(reading.watch);
  spoken.onend = () => {
    if (run !== reading.run) return;
    clearTimeout(reading.watch);
    reading.at += 1;
    speak(voice);
  };
  spoken.onerror = () => { if (run === reading.run) stopWith("none"); };
  reading.watch = setTimeout(() => { if (run === reading.run) stopWith("none"); }, PATIENCE_MS);
  window.speechSynthesis.speak(spoken);
}

function goOn() {
  silence();
  const voice = voiceFor(readAloud.dataset.lang);
  if (voice === undefined) {
    show("none");
    return;
  }
  show("reading");
  document.querySelector("#pause-reading").focus();
  speak(voice);
}

function read() {
  reading.parts = sentences();
  reading.at = 0;
  if (reading.parts.length > 0) goOn();
}

function onPress(id, work, focused) {
  document.getElementById(id).addEventListener("click", () => {
    work();
    if (focused) document.getElementById(focused).focus();
  });
}

if (readAloud && "speechSynthesis" in window && "SpeechSynthesisUtterance" in window) {
  readAloud.hidden = false;
  onPress("read-it", read, "");
  onPress("go-on-reading", goOn, "");
  onPress("pause-reading", () => stopWith("paused"), "go-on-reading");
  onPress("stop-reading", () => stopWith("ask"), "read-it");
  window.addEventListener("pagehide", silence);
}
