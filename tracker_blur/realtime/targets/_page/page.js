"use strict";

const POLL_MS = 500;
const STATUS_TIMEOUT_MS = 4000;
const STATE_NAMES = { covered: "blanked" };
const element = (id) => document.getElementById(id);
const video = element("video");
const quitDialog = element("quit-dialog");
let isDisconnected = true;

function formatTime(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function createCell(text, className = "") {
  const cell = document.createElement("td");
  cell.textContent = text;
  cell.className = className;
  return cell;
}

function targetRows(target) {
  const row = document.createElement("tr");
  row.append(
    createCell(target.name),
    createCell(target.state, target.state),
    createCell(target.shown),
    createCell(target.dropped),
  );
  if (!target.error) return [row];
  const reason = createCell(target.error, "reason");
  reason.colSpan = 4;
  const errorRow = document.createElement("tr");
  errorRow.append(reason);
  return [row, errorRow];
}

function showState(state, text) {
  const label = element("state");
  label.className = `state ${state}`;
  if (label.textContent !== text) label.textContent = text; // screen readers announce each change
}

function showStatus(status) {
  const state = STATE_NAMES[status.state] ?? status.state;
  showState(status.state, state === "live" ? "live" : `${state}: ${status.reason}`);
  element("seconds").textContent = formatTime(status.seconds);
  element("rate").textContent = `${status.rate.toFixed(1)} fps`;
  element("delay").textContent = `${Math.round(status.delay_median_ms)} ms`;
  element("delay95").textContent = `${Math.round(status.delay_p95_ms)} ms`;
  element("faces").textContent = status.faces;
  element("frames").textContent = status.frames_out;
  element("dropped").textContent = status.dropped;
  element("covers").textContent = status.covers;
  element("reconnects").textContent = status.reconnects;
  element("method").textContent = status.method || "–";
  element("strength").textContent = status.strength;
  element("weaker").disabled = !status.can_weaken;
  element("hide-all").setAttribute("aria-pressed", String(status.hide_all));
  element("error").textContent = status.error;
  element("error").hidden = !status.error;
  element("targets").replaceChildren(...status.targets.flatMap(targetRows));
}

// A browser opens six connections to a server, and each stream takes one. Tabs that no one sees
// leave them to others, so that hiding everything gets through.
function startStream() {
  if (!document.hidden) video.src = `picture?${Date.now()}`;
}

function stopStream() {
  video.removeAttribute("src"); // an old frame would look like a live one
}

function setDisconnected(value) {
  if (value) showState("disconnected", "no connection");
  if (value === isDisconnected) return;
  isDisconnected = value;
  element("disconnected").hidden = !value;
  if (value) stopStream();
  else startStream();
}

async function pollStatus() {
  try {
    const response = await fetch("status", { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) });
    if (!response.ok) throw new Error(response.statusText);
    showStatus(await response.json());
    setDisconnected(false);
  } catch {
    setDisconnected(true);
  }
  setTimeout(pollStatus, POLL_MS);
}

async function sendControl(name) {
  quitDialog.close();
  try {
    await fetch(`controls/${name}`, { method: "POST" });
  } catch {
    setDisconnected(true);
  }
}

// Asks for a state instead of toggling: someone who sees the video late must not unhide anything.
function toggleHideAll() {
  sendControl(element("hide-all").getAttribute("aria-pressed") === "true" ? "show" : "hide");
}

const keys = {
  " ": toggleHideAll,
  m: () => sendControl("method"),
  "+": () => sendControl("stronger"),
  "=": () => sendControl("stronger"),
  "-": () => sendControl("weaker"),
  s: () => element("still").click(),
  q: () => quitDialog.showModal(),
};

document.addEventListener("keydown", (event) => {
  const action = keys[event.key];
  const focused = document.activeElement;
  if (event.key === " " && focused.matches("button, a")) return; // space clicks what has the focus
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat || quitDialog.open) return;
  event.preventDefault(); // space would scroll
  action();
});
for (const button of document.querySelectorAll("[data-control]")) {
  button.addEventListener("click", () => sendControl(button.dataset.control));
}
element("hide-all").addEventListener("click", toggleHideAll);
// After a click the space key hides everything again, instead of clicking the same button.
document.addEventListener("click", (event) => event.detail && document.activeElement.blur());
element("quit").addEventListener("click", () => quitDialog.showModal());
element("cancel").addEventListener("click", () => quitDialog.close());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stopStream();
  else if (!isDisconnected) startStream();
});
video.addEventListener("error", () => {
  if (!isDisconnected) setTimeout(() => { if (!isDisconnected) startStream(); }, POLL_MS);
});
pollStatus();
