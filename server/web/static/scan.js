// Finds the code of an answer slip with the camera. Browsers that cannot read codes themselves send a photo instead.
"use strict";
const camera = document.querySelector("#camera");
const view = document.querySelector("#view");
const looking = document.querySelector("#looking");
const EVERY_MS = 250;

async function canLook() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return false;
  return (await window.BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

// Only addresses of slips are followed, and only here.
function addressIn(text) {
  const found = text.match(/\/slips\/([A-Za-z0-9]{8,20})(?:$|[?#/])/);
  return found ? `/slips/${found[1]}` : "";
}

function stopCamera() {
  if (view.srcObject) for (const track of view.srcObject.getTracks()) track.stop();
  view.srcObject = null;
}

async function look(detector) {
  if (!view.srcObject) return;
  const codes = await detector.detect(view).catch(() => []);
  const address = codes.map((code) => addressIn(code.rawValue)).find(Boolean);
  if (address) {
    stopCamera();
    location.assign(address);
  } else {
    setTimeout(look, EVERY_MS, detector);
  }
}

async function startCamera() {
  try {
    view.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    camera.hidden = true; // not allowed, or there is none: the photo is left
    return;
  }
  view.hidden = false;
  looking.hidden = false;
  sessionStorage.setItem("scanning", "yes");
  view.play().catch(() => {});
  look(new window.BarcodeDetector({ formats: ["qr_code"] }));
}

canLook().then((can) => {
  camera.hidden = !can;
  if (!can) return;
  document.querySelector("#start-camera").addEventListener("click", startCamera);
  window.addEventListener("pagehide", stopCamera);
  // After one slip is entered the camera goes on by itself.
  if (sessionStorage.getItem("scanning") === "yes") startCamera();
});
