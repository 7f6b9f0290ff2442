// Finds the code of an answer slip with the camera. Where a browser cannot read codes itself, the node looks at what the
// camera sees; where there is no camera, or it is not allowed, a photo is sent instead.
"use strict";
const camera = document.querySelector("#camera");
const view = document.querySelector("#view");
const proof = document.querySelector("form[enctype] input[name=form_proof]");
const EVERY_MS = 250;
// More points than a code needs would only take longer.
const WIDEST = 1280;

// Only addresses of slips are followed, and only here.
function addressIn(text) {
  const found = text.match(/\/slips\/([A-Za-z0-9]{8,20})(?:$|[?#/])/);
  return found ? `/slips/${found[1]}` : "";
}

async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  const kinds = await window.BarcodeDetector.getSupportedFormats();
  if (!kinds.includes("qr_code")) return null;
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async () => (await detector.detect(view)).map((code) => addressIn(code.rawValue)).find(Boolean);
}

async function nodesReader() {
  if (!view.videoWidth) return "";
  const canvas = document.createElement("canvas");
  const size = Math.min(1, WIDEST / view.videoWidth);
  canvas.width = view.videoWidth * size;
  canvas.height = view.videoHeight * size;
  canvas.getContext("2d").drawImage(view, 0, 0, canvas.width, canvas.height);
  const form = new FormData();
  form.append("form_proof", proof.value);
  form.append("photo", await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.7); }), "camera.jpg");
  const reply = await fetch("/desk/scan/look", { method: "POST", body: form, credentials: "same-origin" });
  return reply.ok ? addressIn((await reply.json()).address) : "";
}

function show(part) {
  for (const name of ["ask", "looking", "none"]) document.querySelector(`#camera-${name}`).hidden = name !== part;
  view.hidden = part !== "looking";
}

function stopCamera() {
  if (view.srcObject) for (const track of view.srcObject.getTracks()) track.stop();
  view.srcObject = null;
}

async function look(read) {
  if (!view.srcObject) return;
  const address = await read().catch(() => "");
  // The slip that was entered just now may still lie there.
  if (address && address !== sessionStorage.getItem("scanned")) {
    sessionStorage.setItem("scanned", address);
    stopCamera();
    location.assign(address);
  } else {
    setTimeout(look, EVERY_MS, read);
  }
}

async function startCamera() {
  try {
    view.srcObject = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false,
    });
  } catch {
    show("none");
    return;
  }
  show("looking");
  sessionStorage.setItem("scanning", "yes");
  view.play().catch(() => {});
  look(await ownReader().catch(() => null) || nodesReader);
}

if (navigator.mediaDevices) {
  camera.hidden = false;
  document.querySelector("#start-camera").addEventListener("click", () => {
    sessionStorage.removeItem("scanned");
    startCamera();
  });
  document.querySelector("#stop-camera").addEventListener("click", () => {
    sessionStorage.removeItem("scanning");
    stopCamera();
    show("ask");
  });
  window.addEventListener("pagehide", stopCamera);
  // After one slip is entered the camera goes on by itself.
  if (sessionStorage.getItem("scanning") === "yes") startCamera();
}
