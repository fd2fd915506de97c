// The places to look at, the riskiest first, and what to do about the one that is open.

import { byId, el, setText } from "./dom.js";
import { clock } from "./format.js";
import { icon } from "./icons.js";
import { announce, toast } from "./messages.js";
import { OPEN_KINDS } from "./place_decisions.js";
import { texts } from "./texts.js";

const SHOWN = 60; // more are not useful at once

/** The queue: N goes to the next, H hides, K keeps, Enter marks as seen. */
export class DoubtsPane {
  constructor({ store, session, actions, stage }) {
    Object.assign(this, { store, session, actions, stage });
    this.pane = byId("pane-doubts");
    this.summary = el("p", { class: "summary", "aria-live": "polite" });
    this.current = el("div", { class: "current" });
    this.list = el("ol", { class: "plain doubts", "aria-label": texts.doubts.list });
    const next = el("button", { type: "button", class: "primary", id: "next-doubt", on: { click: () => this.next(1) } }, el("span", { text: texts.doubts.next }), el("kbd", { text: "N" }));
    const looked = el("button", { type: "button", class: "primary", id: "looked-through", on: { click: () => this.lookedThrough() } }, icon("check"), el("span", { text: texts.doubts.lookedThrough }), el("kbd", { text: "⇧↵" }));
    this.nextButton = next;
    this.lookedButton = looked;
    this.pane.append(this.summary, next, looked, this.current, this.list);
    byId("status").addEventListener("click", () => (store.doubts.some(({ seen }) => !seen) ? this.next(1) : store.set({ pane: "doubts" })));
    store.on("doubts doubt video", () => this.show());
  }

  /** Open the next place that no one has looked at, or the previous one (-1). */
  next(direction) {
    const { store } = this;
    const open = store.doubts.filter(({ seen, id }) => !seen || id === store.doubt);
    const at = open.findIndex(({ id }) => id === store.doubt);
    const rest = open.filter(({ id }) => id !== store.doubt);
    if (!rest.length) {
      toast(texts.doubts.none);
      return;
    }
    const place = at < 0 ? (direction > 0 ? 0 : -1) : direction > 0 ? at % rest.length : at - 1;
    this.open(rest.at(place));
  }

  /** Go to a place and show what it is about. */
  open(doubt) {
    const { store } = this;
    const person = doubt.track === null ? null : store.video.personByTrack.get(doubt.track);
    this.stage.fit();
    store.set({ doubt: doubt.id, pane: "doubts", people: person ? [person.id] : [], track: doubt.track, zone: null, view: store.view === "original" ? "boxes" : store.view });
    this.actions.go(doubt.frame);
    if (doubt.box) this.stage.focusOn(doubt.box);
    announce(`${this.#title(doubt)}. ${this.#text(doubt)}`);
  }

  /** Mark the open place as seen, and continue. */
  async seen() {
    const { store, session } = this;
    const doubt = store.doubts.find(({ id }) => id === store.doubt);
    if (!doubt) {
      toast(texts.doubts.openFirst);
      return;
    }
    const open = store.doubts.filter(({ seen }) => !seen);
    const at = open.findIndex(({ id }) => id === doubt.id);
    const follower = open[at + 1] ?? open.find(({ id }) => id !== doubt.id);
    if (!doubt.seen && !(await session.edit({ op: "seen", doubt: doubt.id }))) return;
    const next = store.doubts.find(({ id, seen }) => id === follower?.id && !seen);
    if (next) this.open(next);
    else this.#finish();
  }

  /** A person says that they have looked through all of it: no number of places says that for them. */
  async lookedThrough() {
    if (this.store.doubts.some(({ seen }) => !seen)) toast(texts.doubts.left(this.store.doubts.filter(({ seen }) => !seen).length));
    else await this.session.edit({ op: "reviewed" }, { said: texts.doubts.nowReviewed });
  }

  #finish() {
    this.store.set({ doubt: null });
    if (!this.store.video.reviewed) toast(texts.doubts.allSeen);
  }

  show() {
    const { store } = this;
    if (!store.video) return;
    const open = store.doubts.filter(({ seen }) => !seen);
    const isUntouched = open.length === 0 && !store.video.reviewed;
    this.#showStatus(open.length, isUntouched);
    const untouched = (store.video.is_image ? texts.doubts.untouchedPhoto : texts.doubts.untouchedText)(store.video.shownPeople().length);
    setText(this.summary, open.length ? texts.doubts.left(open.length) : isUntouched ? untouched : texts.doubts.reviewedText);
    this.lookedButton.hidden = !isUntouched;
    this.nextButton.hidden = open.length === 0;
    const doubt = store.doubts.find(({ id }) => id === store.doubt);
    this.current.replaceChildren(...(doubt ? [this.#card(doubt)] : []));
    const focused = document.activeElement?.id;
    this.list.replaceChildren(...open.slice(0, SHOWN).map((one) => this.#row(one)));
    if (focused && this.pane.contains(byId(focused))) byId(focused).focus();
    const leftOut = store.video.doubts_left_out ?? 0;
    if (leftOut) this.list.append(el("li", { class: "quiet small", text: texts.doubts.leftOut(leftOut) }));
    if (open.length > SHOWN) this.list.append(el("li", { class: "quiet small", text: texts.doubts.more(open.length - SHOWN) }));
  }

  #showStatus(count, isUntouched) {
    const status = byId("status");
    const isDone = count === 0 && !isUntouched;
    status.hidden = false;
    status.className = `pill ${isDone ? "good" : "warn"}`;
    status.disabled = isDone;
    setText(status, count ? texts.doubts.toCheck(count) : isUntouched ? texts.doubts.untouched : texts.doubts.reviewed);
    const badge = byId("doubt-count");
    badge.hidden = count === 0;
    setText(badge, String(count));
  }

  #text({ kind, track }) {
    const { text = "", hidden = text } = texts.doubts.kinds[kind] ?? {};
    return track === null ? text : hidden;
  }

  #title(doubt) {
    const { title = doubt.kind, before = title } = texts.doubts.kinds[doubt.kind] ?? {};
    const kind = doubt.frame < this.store.video.trackById.get(doubt.track)?.first ? before : title;
    return doubt.track === null ? kind : `${this.store.video.nameOfTrack(doubt.track)}: ${kind}`;
  }

  #row(doubt) {
    const isOpen = doubt.id === this.store.doubt;
    const risk = doubt.risk >= 0.66 ? "high" : doubt.risk >= 0.33 ? "middle" : "low";
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", id: `doubt-${doubt.id}`, class: `doubt${isOpen ? " selected" : ""}`, "aria-current": isOpen ? "true" : null, on: { click: () => this.open(doubt) } },
        el("span", { class: `risk ${risk}`, title: texts.doubts.risk[risk] }, el("span", { class: "visually-hidden", text: texts.doubts.risk[risk] })),
        el("span", { class: "grow", text: this.#title(doubt) }),
        !this.store.video.is_image && el("span", { class: "quiet small", text: clock(doubt.seconds, 1) }),
      ),
    );
  }

  #card(doubt) {
    // Always the same buttons at the same place: the next place opens under the pointer.
    const button = (key, text, run, isUsable = true) => el("button", { type: "button", disabled: !isUsable, on: { click: run } }, el("span", { text }), el("kbd", { text: key }));
    const follow = doubt.track !== null && !this.store.video.is_image;
    return el(
      "article",
      { class: "item doubt-card" },
      el(
        "div",
        { class: "pairs" },
        button("H", texts.people.hide, () => this.actions.decide(true)),
        button("K", texts.people.keep, () => this.actions.decide(false), !OPEN_KINDS.has(doubt.kind)),
        button("T", texts.person.follow, () => this.actions.follow(), follow),
        button("↵", texts.doubts.seen, () => this.seen()),
      ),
      el("h3", { text: this.#title(doubt) }),
      el("p", { text: this.#text(doubt) }),
      doubt.seen ? el("p", { class: "quiet small", text: texts.doubts.wasSeen }) : null,
    );
  }
}
