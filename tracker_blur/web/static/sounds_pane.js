// Times in which the sound is silent or a tone.

import { byId, el } from "./dom.js";
import { clock, parseClock } from "./format.js";
import { icon } from "./icons.js";
import { toast } from "./messages.js";
import { texts } from "./texts.js";

const LENGTH = 1; // seconds: a new one

/** Read "10s..15s"; null: with the beginning, or to the end. */
export function parseSpan(where) {
  const [start, end] = where.split("..").map((time) => (time ? parseClock(time) : null));
  return { start, end: end ?? null };
}

const time = (seconds) => (seconds === null ? "" : `${Number(seconds.toFixed(3))}s`);
const formatSpan = ({ start, end }) => `${time(start)}..${time(end)}`;

/** Shows the spans in the side panel. */
export class SoundsPane {
  constructor({ store, session, actions, times }) {
    Object.assign(this, { store, session, actions, times });
    this.pane = byId("pane-sounds");
    this.list = el("div", { class: "stack" });
    const add = (effect) => el("button", { type: "button", data: { effect }, on: { click: () => this.#add(effect) } }, icon("sound"), el("span", { text: texts.sounds.add[effect] }));
    this.pane.append(el("p", { class: "hint", text: texts.sounds.intro }), el("div", { class: "row wrap" }, add("mute"), add("bleep")), this.list);
    store.on("video sound", () => this.show());
  }

  async #add(effect) {
    const start = this.times().seconds(this.store.frame);
    const known = new Set(this.store.video.sounds.map(({ number }) => number));
    const answer = await this.session.edit({ op: "sound", number: null, effect, where: formatSpan({ start, end: start + LENGTH }) }, { said: texts.sounds.added });
    if (answer) this.store.set({ sound: answer.number ?? this.store.video.sounds.find(({ number }) => !known.has(number))?.number ?? null });
  }

  show() {
    const { video } = this.store;
    if (!video) return;
    const focused = document.activeElement?.id;
    this.list.replaceChildren(...video.sounds.map((sound) => this.#card(sound)));
    if (focused && this.pane.contains(byId(focused))) byId(focused).focus();
  }

  #card({ number, effect, where }) {
    const span = parseSpan(where);
    const change = async (values, name = effect) => (await this.session.edit({ op: "sound", number, effect: name, where: formatSpan({ ...span, ...values }) })) ?? this.show();
    const kinds = el("select", { id: `sound-effect-${number}`, "aria-label": texts.sounds.effect, on: { change: (event) => change({}, event.target.value) } }, ...["mute", "bleep"].map((name) => el("option", { value: name, text: texts.sounds.effects[name] })));
    kinds.value = effect;
    const drop = el("button", { type: "button", class: "icon-button", "aria-label": texts.sounds.drop(number), title: texts.sounds.drop(number), on: { click: () => this.session.edit({ op: "drop_sound", number }, { said: texts.sounds.dropped }) } }, icon("trash"));
    const go = el("button", { type: "button", class: "icon-button", "aria-label": texts.sounds.go, title: texts.sounds.go, on: { click: () => this.actions.go(this.times().frameAt(span.start ?? 0)) } }, icon("next"));
    return el(
      "article",
      { class: `item${number === this.store.sound ? " selected" : ""}`, data: { sound: number, where } },
      el("div", { class: "row" }, kinds, el("span", { class: "push" }), go, drop),
      el("div", { class: "grid-form" }, ...this.#field("from", number, span.start, (start) => change({ start })), ...this.#field("to", number, span.end, (end) => change({ end }))),
    );
  }

  #field(name, number, seconds, change) {
    const input = el("input", { class: "time", id: `sound-${name}-${number}`, autocomplete: "off", placeholder: texts.common[name === "from" ? "beginning" : "end"], value: seconds === null ? null : clock(seconds, 3) });
    input.addEventListener("change", () => {
      const isEmpty = input.value.trim() === "";
      const value = isEmpty ? null : parseClock(input.value);
      if (value === null && !isEmpty) toast(texts.common.noTime, { kind: "error" });
      else change(value);
    });
    const here = el("button", { type: "button", id: `sound-${name}-here-${number}`, text: texts.common.here, on: { click: () => change(this.times().seconds(this.store.frame)) } });
    return [el("label", { for: input.id, text: texts.common[name] }), el("div", { class: "row" }, input, here)];
  }
}
