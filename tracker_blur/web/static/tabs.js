// Tabs and segmented buttons, with the keys that people expect of them.

import { byId, el } from "./dom.js";

/** Show one pane at a time; the store's `pane` says which. */
export function tabs(store, names) {
  const show = () => {
    for (const name of names) {
      const tab = byId(`tab-${name}`);
      const isOpen = name === store.pane;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
      byId(`pane-${name}`).hidden = !isOpen;
    }
  };
  for (const name of names) byId(`tab-${name}`).addEventListener("click", () => store.set({ pane: name }));
  byId("tabs").addEventListener("keydown", (event) => {
    const open = names.filter((name) => !byId(`tab-${name}`).hidden);
    const next = stepped(open, store.pane, event.key);
    if (next === undefined) return;
    event.preventDefault();
    store.set({ pane: next });
    byId(`tab-${next}`).focus();
  });
  store.on("pane", show);
  show();
}

/** Make radio buttons of a group; `choices` are [value, text, key]. Calls `onChoose` with the value. */
export function segments(root, choices, onChoose) {
  const buttons = new Map();
  for (const [value, text, key] of choices) {
    const button = el("button", { type: "button", role: "radio", title: `${text} (${key})`, data: { value }, on: { click: () => onChoose(value) } }, el("span", { text }));
    buttons.set(value, button);
    root.append(button);
  }
  root.addEventListener("keydown", (event) => {
    const values = [...buttons.keys()];
    const next = stepped(values, event.target.closest("button")?.dataset.value, event.key);
    if (next === undefined) return;
    event.preventDefault();
    onChoose(next);
    buttons.get(next).focus();
  });
  return (chosen) => {
    for (const [value, button] of buttons) {
      button.setAttribute("aria-checked", String(value === chosen));
      button.tabIndex = value === chosen ? 0 : -1;
    }
  };
}

function stepped(values, current, key) {
  const at = values.indexOf(current);
  const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: values.length - 1 }[key];
  return next === undefined ? undefined : values[(next + values.length) % values.length];
}
