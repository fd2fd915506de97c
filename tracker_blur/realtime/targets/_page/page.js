"use strict";

const every = 500; // milliseconds between two looks at how it fares
const element = (id) => document.getElementById(id);
const picture = element("picture");
const sure = element("sure");
let isAway = true;

function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function cell(text, name = "") {
  const made = document.createElement("td");
  made.textContent = text;
  made.className = name;
  return made;
}

function rows(target) {
  const row = document.createElement("tr");
  row.append(cell(target.name), cell(target.state, target.state), cell(target.shown), cell(target.dropped));
  if (!target.error) return [row];
  const why = cell(target.error, "why");
  why.colSpan = 4;
  const below = document.createElement("tr");
  below.append(why);
  return [row, below];
}

function tell(state, text) {
  const place = element("state");
  place.className = `state ${state}`;
  if (place.textContent !== text) place.textContent = text; // so that it is read out once
}

function show(status) {
  tell(status.state, status.state === "live" ? "live" : `${status.state}: ${status.reason}`);
  element("seconds").textContent = clock(status.seconds);
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
  element("hide-all").setAttribute("aria-pressed", String(status.hide_all));
  element("error").textContent = status.error;
  element("error").hidden = !status.error;
  element("targets").replaceChildren(...status.targets.flatMap(rows));
}

function away(now) {
  if (now) tell("away", "no connection");
  if (now === isAway) return;
  isAway = now;
  element("away").hidden = !now;
  if (now) picture.removeAttribute("src"); // an old picture looks like a live one
  else picture.src = `picture?${Date.now()}`;
}

async function look() {
  try {
    const answer = await fetch("status", { signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
    away(false);
  } catch {
    away(true);
  }
  setTimeout(look, every);
}

async function press(name) {
  sure.close();
  try {
    await fetch(`controls/${name}`, { method: "POST" });
  } catch {
    away(true);
  }
}

// What is wanted, and not the other of two: who sees the picture late uncovers nothing.
function pressHide() {
  press(element("hide-all").getAttribute("aria-pressed") === "true" ? "show" : "hide");
}

const keys = {
  " ": pressHide,
  m: () => press("method"),
  "+": () => press("stronger"),
  "=": () => press("stronger"),
  "-": () => press("weaker"),
  s: () => element("still").click(),
  q: () => sure.showModal(),
};

document.addEventListener("keydown", (event) => {
  const action = keys[event.key];
  const focused = document.activeElement;
  if (event.key === " " && focused.matches("button, a")) return; // it presses what is in focus
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat || sure.open) return;
  event.preventDefault(); // space would scroll
  action();
});
for (const button of document.querySelectorAll("[data-press]")) {
  button.addEventListener("click", () => press(button.dataset.press));
}
element("hide-all").addEventListener("click", pressHide);
// After a click, space is for hiding again.
document.addEventListener("click", (event) => event.detail && document.activeElement.blur());
element("quit").addEventListener("click", () => sure.showModal());
element("stay").addEventListener("click", () => sure.close());
picture.addEventListener("error", () => {
  if (!isAway) setTimeout(() => { if (!isAway) picture.src = `picture?${Date.now()}`; }, every);
});
look();
