// The list of areas, and the form of the one that is selected.

import { byId, el } from "./dom.js";
import { clock, parseClock } from "./format.js";
import { icon } from "./icons.js";
import { LimitsForm } from "./limits_form.js";
import { toast } from "./messages.js";
import { texts } from "./texts.js";

const SHAPES = [
  ["hide", "zone-box", "addHideBox"],
  ["hide", "zone-polygon", "addHidePolygon"],
  ["ignore", "zone-box", "addIgnoreBox"],
  ["ignore", "zone-polygon", "addIgnorePolygon"],
];

/** Shows the areas in the side panel. */
export class ZonesPane {
  constructor({ store, session, zones, actions, times }) {
    Object.assign(this, { store, zones, actions, times });
    this.pane = byId("pane-zones");
    this.list = el("div", { class: "stack" });
    const adders = SHAPES.map(([rule, tool, text]) =>
      el("button", { type: "button", data: { rule, tool }, on: { click: () => this.#begin(rule, tool) } }, icon(tool === "zone-box" ? "box" : "area"), el("span", { text: texts.zones[text] })),
    );
    this.pane.append(
      el("p", { class: "hint", text: texts.zones.intro }),
      el("h3", { text: texts.zones.hide }),
      el("div", { class: "row wrap" }, ...adders.slice(0, 2)),
      el("h3", { text: texts.zones.ignore }),
      el("p", { class: "hint", text: texts.zones.ignoreHint }),
      el("div", { class: "row wrap" }, ...adders.slice(2)),
      this.list,
      new LimitsForm({ store, session }).element,
    );
    store.on("video zone", () => this.show());
  }

  #begin(rule, tool) {
    this.store.set({ zoneRule: rule, tool, view: "boxes", zone: null, people: [], track: null });
  }

  show() {
    const { video, zone } = this.store;
    const focused = document.activeElement?.id;
    this.list.replaceChildren(...(video?.zones ?? []).map((one) => this.#card(one, one.number === zone)));
    if (focused && this.pane.contains(byId(focused))) byId(focused).focus();
  }

  #card({ number, rule, where }, isSelected) {
    const shape = this.zones.shape(number);
    const title = el(
      "button",
      { type: "button", id: `zone-${number}`, class: "link grow", "aria-pressed": String(isSelected), on: { click: () => this.actions.selectZone(number) } },
      el("span", { class: `dot ${rule}`, "aria-hidden": "true" }),
      el("span", { text: texts.zones.name(number, texts.zones[rule]) }),
    );
    const drop = el("button", { type: "button", class: "icon-button", "aria-label": texts.zones.drop(number), title: texts.zones.drop(number), on: { click: () => this.zones.drop(number) } }, icon("trash"));
    const card = el("article", { class: `item${isSelected ? " selected" : ""}`, data: { zone: number, where } }, el("div", { class: "row" }, title, drop), el("p", { class: "quiet small", text: this.#spanText(shape) }));
    if (isSelected) card.append(this.#form(number, rule, shape));
    return card;
  }

  #spanText({ start, end, keys }) {
    if (this.store.video.is_image) return "";
    const span = start === null && end === null ? texts.zones.always : texts.zones.span(start === null ? texts.common.beginning : clock(start), end === null ? texts.common.end : clock(end));
    return keys.length > 1 ? `${span} · ${texts.zones.positions(keys.length)}` : span;
  }

  #form(number, rule, shape) {
    const { store, zones } = this;
    const rules = el("select", { id: `zone-rule-${number}`, on: { change: (event) => zones.setRule(number, event.target.value) } }, ...["hide", "ignore"].map((name) => el("option", { value: name, text: texts.zones[name] })));
    rules.value = rule;
    const parts = [el("label", { for: rules.id, text: texts.zones.rule }), rules];
    if (!store.video.is_image) {
      parts.push(...this.#times(number, shape), ...this.#motion(number, shape));
    }
    return el("div", { class: "grid-form" }, ...parts);
  }

  #times(number, { start, end }) {
    const field = (name, seconds, change) => {
      const input = el("input", { class: "time", id: `zone-${name}-${number}`, placeholder: texts.common[name === "from" ? "beginning" : "end"], autocomplete: "off", value: seconds === null ? null : clock(seconds, 3) });
      input.addEventListener("change", () => {
        const value = input.value.trim() === "" ? null : parseClock(input.value);
        if (value === null && input.value.trim() !== "") toast(texts.common.noTime, { kind: "error" });
        else change(value);
      });
      const here = el("button", { type: "button", id: `zone-${name}-here-${number}`, text: texts.common.here, "aria-label": texts.zones[`${name}Here`], on: { click: () => change(this.times().seconds(this.store.frame)) } });
      return [el("label", { for: input.id, text: texts.common[name] }), el("div", { class: "row" }, input, here)];
    };
    return [...field("from", start, (value) => this.zones.setSpan(number, value, end)), ...field("to", end, (value) => this.zones.setSpan(number, start, value))];
  }

  #motion(number, { keys }) {
    const box = el("input", { type: "checkbox", id: `zone-moves-${number}`, on: { change: (event) => this.zones.setMoving(number, event.target.checked) } });
    box.checked = keys.length > 1;
    const parts = [el("label", { class: "choice wide", for: box.id }, box, el("span", { text: texts.zones.moves }))];
    if (keys.length < 2) return parts;
    const rows = keys.map(({ at }) =>
      el(
        "li",
        { class: "row" },
        el("button", { type: "button", class: "link grow", text: clock(at, 3), on: { click: () => this.actions.go(this.times().frameAt(at)) } }),
        keys.length > 2 && el("button", { type: "button", class: "icon-button", "aria-label": texts.zones.dropKey(clock(at)), on: { click: () => this.zones.dropKey(number, at) } }, icon("close")),
      ),
    );
    const add = el("button", { type: "button", id: `zone-key-${number}`, text: texts.zones.addKey, on: { click: () => this.zones.addKey(number) } });
    return [...parts, el("p", { class: "hint wide", text: texts.zones.movesHint }), el("ul", { class: "wide plain" }, ...rows), el("div", { class: "wide" }, add)];
  }
}
