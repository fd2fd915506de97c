// Keys: each does one thing, and `?` lists them all.

import { ask } from "./messages.js";
import { byId, el } from "./dom.js";
import { texts } from "./texts.js";

const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";
const PRESSED = "button, a, summary, input, select"; // Enter and Space are theirs while they have the focus

/** Runs what belongs to a key. Keys are written as "Ctrl+z", "Shift+ArrowLeft", "?". */
export class Keys {
  constructor() {
    this.groups = [];
    this.runs = new Map();
    document.addEventListener("keydown", (event) => this.#run(event));
  }

  /** Add keys: rows of [keys, name of the text in texts.keys, function]; several keys may do the same. */
  add(group, rows) {
    this.groups.push([group, rows]);
    for (const [names, , run] of rows) for (const name of names) this.runs.set(name, run);
  }

  /** Change what one key does, without a line in the list. */
  bind(name, run) {
    this.runs.set(name, run);
  }

  /** Show the list of all keys. */
  async list() {
    const sections = this.groups.map(([group, rows]) =>
      el(
        "section",
        {},
        el("h3", { text: texts.keys.groups[group] }),
        el("dl", {}, ...rows.map(([names, text]) => el("div", {}, el("dt", {}, ...names.slice(0, 2).map((name) => el("kbd", { text: shownKey(name) }))), el("dd", { text: texts.keys[text] })))),
      ),
    );
    byId("keys-list").replaceChildren(...sections);
    await ask(byId("keys-dialog"));
  }

  #run(event) {
    if (document.querySelector("dialog[open]") || event.target.closest(TYPED_IN)) return;
    if (["Enter", " "].includes(event.key) && event.target.closest(PRESSED)) return;
    if (event.key.startsWith("Arrow") && event.target.closest("input, [role=tab], [role=radio]")) return;
    const run = this.runs.get(nameOf(event));
    if (!run) return;
    event.preventDefault();
    run();
  }
}

function nameOf(event) {
  const isLetter = event.key.length === 1;
  const key = isLetter ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (!isLetter || /[a-z]/.test(key));
  return [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", shift && "Shift", key].filter(Boolean).join("+");
}

function shownKey(name) {
  return name
    .split(/\+(?=.)/)
    .map((part) => texts.keys.names[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" + ");
}
