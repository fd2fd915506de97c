// The wall: a card for each person, under headings for faces, plates and other classes.

import { byId, el, KeyedList, setText } from "./dom.js";
import { FaceLoader } from "./faces.js";
import { makeCard, updateCard } from "./person_card.js";
import { texts } from "./texts.js";

const RULE_KINDS = new Set(["zone_shows", "limit_shows"]); // places that areas or limits show

/** Shows the people, and lets them be chosen, hidden, kept and merged. */
export class PeopleWall {
  constructor({ store, actions, api }) {
    Object.assign(this, { store, actions });
    this.root = byId("cards");
    this.faces = new FaceLoader(api, this.root);
    this.groups = new Map();
    this.onPlace = () => {}; // goes to a place to look at
    this.anchor = null; // where a selection with Shift begins
    this.#listenToBar();
    this.root.addEventListener("keydown", (event) => this.#key(event));
    store.on("video people", () => this.show());
    store.on("tool", () => byId("sel-several").setAttribute("aria-pressed", String(store.tool === "several")));
  }

  show() {
    const { video } = this.store;
    if (!video) return;
    const groups = video.peopleByClass();
    for (const [name, group] of this.groups) {
      if (!groups.some(([other]) => other === name)) {
        group.section.remove();
        this.groups.delete(name);
      }
    }
    for (const [name, people] of groups) this.#group(name, groups.length > 1).list.show(people);
    if (!groups.length) this.root.replaceChildren(el("p", { class: "quiet empty", text: video.is_image ? texts.people.noOneInPhoto : texts.people.noOne }));
    else this.root.querySelector(":scope > .empty")?.remove();
    const hidden = video.people.filter((person) => person.hidden === true && !person.visible).length;
    setText(byId("people-count"), texts.people.count(hidden, video.people.length - hidden));
    this.#showBar();
    this.#showFocusable();
    this.#scroll();
  }

  /** Show the card of a person who was selected elsewhere; cards under the pointer stay where they are. */
  #scroll() {
    const { people } = this.store;
    if (people === this.scrolledTo) return;
    this.scrolledTo = people;
    if (people.length === 1 && !this.root.matches(":hover")) this.#card(people[0])?.scrollIntoView({ block: "nearest" });
  }

  #group(name, hasHeading) {
    if (!this.groups.has(name)) {
      const heading = el("h3", { text: texts.classes.heading(name) });
      const wall = el("ul", { class: "cards", "aria-label": texts.classes.heading(name) });
      const section = el("section", {}, heading, wall);
      const list = new KeyedList(wall, {
        key: (person) => person.id,
        make: (person) => this.#makeCard(person),
        drop: (card) => card.parts.faces.forEach((image) => this.faces.forget(image)),
        update: (card, person) => updateCard(card, person, { video: this.store.video, faces: this.faces, isSelected: this.store.people.includes(person.id) }),
      });
      this.root.append(section);
      this.groups.set(name, { section, heading, list });
    }
    const group = this.groups.get(name);
    group.heading.hidden = !hasHeading;
    return group;
  }

  #makeCard(person) {
    const { id } = person;
    return makeCard(person, {
      onSelect: (event) => this.#select(id, event),
      onDecide: () => this.#decide(id),
      onMerge: (others) => this.actions.merge([id, ...others.filter((other) => other !== id)]),
      dragged: () => (this.store.people.includes(id) ? this.store.people : [id]),
      onGo: (track, frame) => {
        this.actions.selectPerson(id);
        this.store.set({ track });
        this.actions.go(frame);
      },
    });
  }

  #select(id, event) {
    if (event.shiftKey && this.anchor !== null) {
      const ids = this.#ids();
      const [from, to] = [ids.indexOf(this.anchor), ids.indexOf(id)].sort((one, other) => one - other);
      this.store.set({ people: ids.slice(Math.max(0, from), to + 1), track: null, doubt: null });
      return;
    }
    this.anchor = id;
    const isMore = event.ctrlKey || event.metaKey || event.target.matches("input");
    this.actions.selectPerson(id, { isMore, isJump: !isMore });
    if (!isMore) this.store.set({ pane: "person" });
  }

  /** One click: hidden becomes visible; visible, and partly hidden, becomes hidden. */
  #decide(id) {
    const person = this.store.video.personById.get(id);
    const place = person.hidden !== false && person.visible && this.store.doubts.find(({ kind, track, seen }) => RULE_KINDS.has(kind) && person.tracks.includes(track) && !seen);
    if (place) return this.onPlace(place); // it is marked as hidden already: what shows it must be looked at
    return this.actions.setHidden(person.tracks, person.hidden !== true);
  }

  #ids() {
    return [...this.root.querySelectorAll(".card")].map((card) => this.#person(card));
  }

  #person(card) {
    return this.store.video.people.find(({ id }) => String(id) === card.dataset.person)?.id;
  }

  #card(id) {
    return this.root.querySelector(`.card[data-person="${CSS.escape(String(id))}"]`);
  }

  #listenToBar() {
    byId("sel-hide").addEventListener("click", () => this.actions.decide(true));
    byId("sel-keep").addEventListener("click", () => this.actions.decide(false));
    byId("sel-merge").addEventListener("click", () => this.actions.merge());
    byId("sel-split").addEventListener("click", () => this.actions.split());
    byId("sel-several").addEventListener("click", () => this.actions.startSelecting());
    byId("sel-none").addEventListener("click", () => this.actions.deselect());
    byId("widen").addEventListener("click", () => this.widen());
  }

  /** Give the wall all of the room, or take it back. */
  widen() {
    const isWide = byId("layout").classList.toggle("wide-wall");
    byId("widen").setAttribute("aria-pressed", String(isWide));
  }

  /** Put the focus on the selected card, or select the first. */
  focus() {
    const card = this.root.querySelector('.card-select[aria-pressed="true"]') ?? this.root.querySelector(".card-select");
    if (!card) return;
    card.focus();
    if (card.getAttribute("aria-pressed") !== "true") this.actions.selectPerson(this.#person(card.closest(".card")), { isJump: true });
  }

  /** The bar is always there: nothing moves when someone is selected, so a second click hits what the first one did. */
  #showBar() {
    const { people, video } = this.store;
    const count = people.length;
    const text = count === 1 ? video.nameOf(video.personById.get(people[0])) : count ? texts.people.selected(count) : texts.people.noneSelected;
    setText(byId("selection-text"), text);
    for (const id of ["hide", "keep", "none"]) byId(`sel-${id}`).disabled = count === 0;
    byId("sel-merge").disabled = count < 2;
    byId("sel-split").disabled = count !== 1 || video.is_image;
  }

  /** Only one card can be reached by Tab; arrows continue from there. */
  #showFocusable() {
    const cards = [...this.root.querySelectorAll(".card-select")];
    const current = cards.find((card) => card === document.activeElement) ?? cards.find((card) => card.getAttribute("aria-pressed") === "true") ?? cards[0];
    for (const card of cards) card.tabIndex = card === current ? 0 : -1;
  }

  #key(event) {
    if (!event.target.matches(".card-select")) return;
    const cards = [...this.root.querySelectorAll(".card-select")];
    const at = cards.indexOf(event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: below(cards, at, 1), ArrowUp: below(cards, at, -1), Home: 0, End: cards.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const card = cards[Math.max(0, Math.min(cards.length - 1, next))];
    for (const other of cards) other.tabIndex = other === card ? 0 : -1;
    card.focus();
    const id = this.#person(card.closest(".card"));
    if (event.shiftKey && this.store.people.includes(id)) return;
    this.actions.selectPerson(id, { isMore: event.shiftKey, isJump: !event.shiftKey }); // who has the ring is who keys decide about
  }
}

/** The card below (1) or above (-1) another, nearest to it in the row. */
function below(cards, at, direction) {
  const box = cards[at].getBoundingClientRect();
  const isBeyond = (other) => (direction > 0 ? other.top > box.top + 4 : other.top < box.top - 4);
  const away = (other) => Math.abs(other.top - box.top) * 1000 + Math.abs(other.left - box.left);
  let best = at;
  cards.forEach((card, number) => {
    const other = card.getBoundingClientRect();
    if (isBeyond(other) && (best === at || away(other) < away(cards[best].getBoundingClientRect()))) best = number;
  });
  return best;
}
