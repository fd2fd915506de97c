// The person who is selected: name, and the parts in which they were seen.

import { byId, el } from "./dom.js";
import { clock, duration } from "./format.js";
import { icon } from "./icons.js";
import { texts } from "./texts.js";

/** A program may still recognize who was hidden by these. */
export const WEAK_METHODS = new Set(["pixelated", "gaussian", "fog"]);

/** Shows the person and their parts in the side panel. */
export class PersonPane {
  constructor({ store, session, actions, times }) {
    Object.assign(this, { store, session, actions, times });
    this.pane = byId("pane-person");
    store.on("video people track", () => this.show());
  }

  show() {
    const { store } = this;
    if (!store.video) return;
    const focused = document.activeElement?.id;
    const person = store.people.length === 1 ? store.video.personById.get(store.people[0]) : null;
    if (person) this.pane.replaceChildren(...this.#person(person));
    else this.pane.replaceChildren(el("p", { class: "hint", text: store.people.length ? texts.people.selected(store.people.length) : texts.person.none }), ...this.#everyone());
    if (focused && this.pane.contains(byId(focused))) byId(focused).focus();
  }

  /** How everyone is hidden who has no way of their own. */
  #everyone() {
    const { video } = this.store;
    const said = (method) => texts.person.everyoneNow(texts.methods[method]?.name ?? method);
    return [el("div", { class: "stack" }, ...this.#select("everyone", texts.person.everyone, this.#methods(), video.method, (method) => ({ op: "method", method }), said)), this.#warning(video.method)];
  }

  #warning(method) {
    return el("p", { class: "caution small", text: WEAK_METHODS.has(method) ? texts.methods.warning : "" });
  }

  #methods() {
    const names = this.store.video.methods.filter((name) => name !== "image"); // it needs a picture
    const shown = (name) => texts.methods[name]?.name ?? name;
    const isWeak = (name) => WEAK_METHODS.has(name);
    return names.sort((one, other) => isWeak(one) - isWeak(other)).map((name) => [name, isWeak(name) ? texts.methods.weaker(shown(name)) : shown(name)]);
  }

  #person(person) {
    const { video } = this.store;
    const name = el("input", { id: "person-name", autocomplete: "off", spellcheck: "false", maxlength: "80", value: person.name ?? "", placeholder: video.nameOf(person) });
    name.addEventListener("change", () => this.session.edit({ op: "rename", person: person.id, name: name.value.trim() || null }));
    const reasons = video.reasonsOf(person).map((text) => el("li", { text }));
    return [
      el("div", { class: "grid-form" }, el("label", { for: name.id, text: texts.person.name }), name),
      person.doubtful && el("div", { class: "note warn" }, el("p", { text: texts.person.doubtful }), el("ul", {}, ...reasons)),
      el("h3", { text: texts.person.parts(person.tracks.length) }),
      el("p", { class: "hint", text: texts.person.partsHint }),
      el("div", { class: "stack" }, ...video.tracksOf(person).map((track) => this.#part(track))),
    ].filter(Boolean);
  }

  #part(track) {
    const { video } = this.store;
    const isActive = track.id === this.store.track;
    const span = video.is_image ? texts.person.part : texts.person.span(clock(this.times().seconds(track.first)), clock(this.times().seconds(track.last)));
    const title = el("button", { type: "button", id: `part-${track.id}`, class: "link grow", "aria-pressed": String(isActive), on: { click: () => this.#open(track) } }, el("span", { text: span }));
    const name = video.stateOfTrack(track);
    const hint = track.shown.length && track.hidden ? texts.people.visibleHint : null;
    const state = el("button", { type: "button", id: `part-state-${track.id}`, class: "state", title: hint, data: { state: name }, role: "switch", "aria-checked": String(track.hidden), "aria-label": texts.person.hidePart(span), on: { click: () => this.actions.setHidden([track.id], !track.hidden) } }, icon(["isKept", "isShown"].includes(name) ? "eye" : "eyeOff"), el("span", { text: texts.people[name] }));
    const card = el("article", { class: `item${isActive ? " selected" : ""}${track.hidden ? "" : " kept"}`, data: { track: track.id } }, el("div", { class: "row" }, title, state));
    if (isActive) card.append(...this.#details(track));
    return card;
  }

  #open(track) {
    this.store.set({ track: track.id });
    if (this.store.frame < track.first || this.store.frame > track.last) this.actions.go(track.first);
  }

  #details(track) {
    const { video } = this.store;
    const button = (id, text, key, run) => el("button", { type: "button", id: `${id}-${track.id}`, on: { click: run } }, el("span", { text }), key && el("kbd", { text: key }));
    const time = duration(track.frames / (video.fps || 25));
    const facts = el("p", { class: "quiet small", text: track.is_drawn ? texts.person.drawnFacts(time) : texts.person.facts(time, Math.round(track.score * 100)) });
    const choices = el("div", { class: "grid-form" }, ...this.#select("class", texts.person.class, video.classes.map((name) => [name, texts.classes.singular(name)]), track.class, (value) => ({ op: "set_class", tracks: [track.id], class: value })), ...this.#select("method", texts.person.method, [["", texts.person.usual(texts.methods[video.method]?.name ?? video.method)], ...this.#methods()], track.method ?? "", (value) => ({ op: "set_method", tracks: [track.id], method: value || null })), el("div", { class: "wide" }, this.#warning(track.method)));
    const whole = el("input", { type: "checkbox", id: "move-whole", on: { change: (event) => this.store.set({ isWhole: event.target.checked }) } });
    whole.checked = this.store.isWhole;
    const drop = button("drop", texts.person.drop, "Del", () => this.actions.dropTracks([track.id]));
    if (video.is_image) return [choices, el("div", { class: "pairs" }, drop)];
    return [
      facts,
      el(
        "div",
        { class: "pairs" },
        button("follow", texts.person.follow, "T", () => this.actions.follow()),
        button("draw", texts.person.drawHere, "D", () => this.store.set({ drawFor: track.id, tool: "draw", view: "boxes" })),
        button("begin", texts.person.beginHere, "[", () => this.actions.setEnd(true)),
        button("end", texts.person.endHere, "]", () => this.actions.setEnd(false)),
        button("split", texts.person.splitHere, "S", () => this.actions.splitTrack(track)),
        button("hole", texts.person.dropHere, null, () => this.session.edit({ op: "drop_frames", track: track.id, first: this.store.frame, last: this.store.frame }, { said: texts.person.droppedHere(video.nameOfTrack(track.id)) })),
        drop,
      ),
      el("label", { class: "choice whole", for: whole.id }, whole, el("span", { text: texts.person.whole })),
      choices,
    ];
  }

  #select(name, text, choices, value, edit, said = () => "") {
    const list = el("select", { id: `track-${name}`, on: { change: (event) => this.session.edit(edit(event.target.value), { said: said(event.target.value) }) } }, ...choices.map(([key, shown]) => el("option", { value: key, text: shown })));
    if (!choices.some(([key]) => key === value)) list.append(el("option", { value, text: value }));
    list.value = value;
    return [el("label", { for: list.id, text }), list];
  }
}
