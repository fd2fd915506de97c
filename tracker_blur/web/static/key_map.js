// Which key does what on the review page.

import { byId } from "./dom.js";
import { Keys } from "./keys.js";

const NUDGE = 0.004; // of the picture's height
const HELD_MS = 120; // keys that follow each other faster are one that is held: its steps grow
const MOST_STEPS = 8;
const PAN = 60; // screen pixels

/** Bind all keys to the parts of the page. */
export function bindKeys({ store, session, actions, stage, tools, transport, player, wall, doubts, output, photos }) {
  const keys = new Keys();
  const view = (name) => () => store.set({ view: name });
  let pressed = { at: -Infinity, times: 0 };
  const step = () => {
    const now = performance.now();
    pressed = { at: now, times: now - pressed.at < HELD_MS ? pressed.times + 1 : 0 };
    return Math.max(1, Math.round(store.video.height * NUDGE * Math.min(MOST_STEPS, 1 + pressed.times / 3)));
  };
  const move = (x, y, isSize) => () => {
    const pixels = step();
    tools.nudge(x * pixels, y * pixels, isSize);
  };
  const confirm = () => (store.tool === "select" ? doubts.seen() : tools.confirm());
  const escape = () => {
    if (tools.cancel()) return;
    if (store.tool === "select") actions.deselect();
    else store.set({ tool: "select" });
  };

  keys.add("decide", [
    [["n"], "nextDoubt", () => doubts.next(1)],
    [["Shift+n"], "lastDoubt", () => doubts.next(-1)],
    [["h"], "hide", () => actions.decide(true)],
    [["k"], "keep", () => actions.decide(false)],
    [["Shift+h"], "hideWhy", () => actions.decideWithReason(true)],
    [["Shift+k"], "keepWhy", () => actions.decideWithReason(false)],
    [["Enter"], "seen", confirm],
    [["Shift+Enter"], "looked", () => doubts.lookedThrough()],
    [["Ctrl+z"], "undo", () => session.undo()],
    [["Ctrl+Shift+z", "Ctrl+y"], "redo", () => session.redo()],
  ]);
  keys.add("move", [
    [["ArrowLeft", ","], "stepBack", () => transport.step(-1)],
    [["ArrowRight", "."], "stepOn", () => transport.step(1)],
    [["Shift+ArrowLeft"], "skipBack", () => transport.skip(-1)],
    [["Shift+ArrowRight"], "skipOn", () => transport.skip(1)],
    [["PageUp"], "cutBack", () => (store.video.is_image ? photos.step(-1) : transport.cut(0))],
    [["PageDown"], "cutOn", () => (store.video.is_image ? photos.step(1) : transport.cut(1))],
    [["Home"], "begin", () => actions.go(0)],
    [["End"], "end", () => actions.go(store.video.lastFrame)],
    [[" "], "play", () => player.toggle()],
    [["<"], "slower", () => transport.changeSpeed(-1)],
    [[">"], "faster", () => transport.changeSpeed(1)],
    [["g"], "goto", () => transport.focusGoto()],
  ]);
  keys.add("people", [
    [["w"], "wall", () => wall.widen()],
    [["p"], "people", () => wall.focus()],
    [["b"], "nextBox", () => actions.selectNextBox()],
    [["a"], "several", () => actions.startSelecting()],
    [["m"], "merge", () => actions.merge()],
    [["s"], "split", () => actions.split()],
    [["Escape"], "escape", escape],
  ]);
  keys.add("boxes", [
    [["d"], "draw", () => actions.startDrawing()],
    [["v"], "select", () => store.set({ tool: "select" })],
    [["t"], "follow", () => actions.follow()],
    [["["], "beginHere", () => actions.setEnd(true)],
    [["]"], "endHere", () => actions.setEnd(false)],
    [["Alt+ArrowLeft", "Alt+ArrowRight"], "nudge", move(-1, 0, false)],
    [["Alt+Shift+ArrowLeft", "Alt+Shift+ArrowRight"], "resize", move(-1, 0, true)],
    [["Delete", "Backspace"], "drop", () => actions.drop()],
  ]);
  keys.bind("Alt+ArrowRight", move(1, 0, false));
  keys.bind("Alt+ArrowUp", move(0, -1, false));
  keys.bind("Alt+ArrowDown", move(0, 1, false));
  keys.bind("Alt+Shift+ArrowRight", move(1, 0, true));
  keys.bind("Alt+Shift+ArrowUp", move(0, -1, true));
  keys.bind("Alt+Shift+ArrowDown", move(0, 1, true));
  keys.add("view", [
    [["1"], "viewBoxes", view("boxes")],
    [["2"], "viewRedacted", view("redacted")],
    [["3"], "viewSlider", view("slider")],
    [["4"], "viewOriginal", view("original")],
    [["+", "="], "zoomIn", () => stage.zoom(1.4)],
    [["-"], "zoomOut", () => stage.zoom(1 / 1.4)],
    [["0"], "zoomFit", () => stage.fit()],
    [["Ctrl+ArrowLeft", "Ctrl+ArrowRight"], "pan", () => stage.pan(PAN, 0)],
    [["f"], "full", fullScreen],
    [["r"], "render", () => output.render()],
    [["?"], "keys", () => keys.list()],
  ]);
  keys.bind("Ctrl+ArrowRight", () => stage.pan(-PAN, 0));
  keys.bind("Ctrl+ArrowUp", () => stage.pan(0, PAN));
  keys.bind("Ctrl+ArrowDown", () => stage.pan(0, -PAN));
  byId("full").addEventListener("click", fullScreen);
  byId("help").addEventListener("click", () => keys.list());
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector(".viewer").requestFullscreen();
}
