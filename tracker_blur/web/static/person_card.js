// One person's card: faces, how long and how often seen, hidden or not.

import { el, setAttribute, setText } from "./dom.js";
import { duration } from "./format.js";
import { icon } from "./icons.js";
import { texts } from "./texts.js";

const DRAGGED_TYPE = "application/x-trackblur-people";
const SIZE = { best: 192, small: 96 };
const ROLES = ["best", "first", "last"];

/** Make a card; `updateCard` fills it in. */
export function makeCard(person, { onSelect, onDecide, onMerge, dragged, onGo }) {
  const parts = {
    faces: ROLES.map((role) => el("img", { alt: "", draggable: "false", class: `face ${role}` })),
    name: el("span", { class: "name" }),
    facts: el("span", { class: "quiet small" }),
    doubt: el("span", { class: "badge warn small" }),
    visible: el("span", { class: "badge danger small", title: texts.people.visibleHint }),
    check: el("input", { type: "checkbox", class: "card-check", tabindex: "-1", on: { click: (event) => event.stopPropagation(), change: onSelect } }),
    state: el("button", { type: "button", class: "state", role: "switch", on: { click: onDecide } }),
  };
  const [best, first, last] = parts.faces;
  for (const [small, at] of [[first, 1], [last, 2]]) {
    small.addEventListener("click", (event) => {
      event.stopPropagation();
      const face = card.facesShown[at];
      if (face) onGo(face.track, face.frame);
    });
  }
  parts.select = el(
    "button",
    { type: "button", class: "card-select", on: { click: onSelect } },
    el("span", { class: "faces" }, best, el("span", { class: "small-faces" }, first, last)),
    el("span", { class: "card-text" }, parts.name, parts.facts, parts.doubt, parts.visible),
  );
  const card = el("li", { class: "card", draggable: "true", data: { person: person.id } }, parts.select, parts.check, parts.state);
  card.parts = parts;
  acceptDrags(card, { dragged, onMerge });
  return card;
}

/** Show what is now true of a person. */
export function updateCard(card, person, { video, faces, isSelected }) {
  const { parts } = card;
  const name = video.nameOf(person);
  card.facesShown = [person.faces[0], person.faces[1], person.faces[2]];
  ROLES.forEach((role, at) => {
    const face = card.facesShown[at];
    const image = parts.faces[at];
    image.hidden = !face || (at > 0 && video.is_image);
    if (face && !image.hidden) faces.show(image, face, at ? SIZE.small : SIZE.best);
    if (at > 0) image.title = texts.people.faces[role];
  });
  card.classList.toggle("selected", isSelected);
  card.classList.toggle("kept", person.hidden === false);
  setText(parts.name, name);
  setText(parts.facts, video.is_image ? "" : texts.people.seen(duration(person.seconds), person.tracks.length));
  parts.visible.hidden = !person.visible;
  setText(parts.visible, person.visible ? texts.people.visibleShort(person.visible) : "");
  parts.doubt.hidden = !person.doubtful || Boolean(person.visible); // one line for both: cards keep their height
  setText(parts.doubt, texts.people.doubtful);
  parts.doubt.title = video.reasonsOf(person).join(" ");
  setAttribute(parts.select, "aria-pressed", isSelected);
  setAttribute(parts.select, "aria-label", labelOf(person, name));
  setAttribute(parts.check, "aria-label", texts.people.choose(name));
  parts.check.checked = isSelected;
  showState(parts.state, person, name);
}

function labelOf(person, name) {
  const seen = person.visible ? texts.people.visible(person.visible) : "";
  return [name, texts.people[stateOf(person)], seen, texts.people.seen(duration(person.seconds), person.tracks.length), person.doubtful ? texts.people.doubtful : ""].filter(Boolean).join(", ");
}

/** What is true of a person in the result, whatever they are marked as: the name of its text. */
function stateOf({ hidden, visible, frames }) {
  if (hidden === false) return "isKept";
  if (visible) return visible >= frames ? "isShown" : "partlyShown";
  return hidden === null ? "partly" : "isHidden";
}

function showState(button, person, name) {
  const { hidden } = person;
  const state = stateOf(person);
  if (button.dataset.state !== state) {
    button.replaceChildren(icon(["isKept", "isShown"].includes(state) ? "eye" : "eyeOff"), el("span", { text: texts.people[state] }));
    button.dataset.state = state;
  }
  setAttribute(button, "aria-checked", hidden !== false);
  setAttribute(button, "aria-label", texts.people.hiddenSwitch(name));
  setAttribute(button, "title", hidden !== false && person.visible ? texts.people.clickToLook : hidden === true ? texts.people.clickToKeep : texts.people.clickToHide);
}

function acceptDrags(card, { dragged, onMerge }) {
  const isPeople = (event) => event.dataTransfer.types.includes(DRAGGED_TYPE);
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(DRAGGED_TYPE, JSON.stringify(dragged()));
    event.dataTransfer.effectAllowed = "move";
  });
  card.addEventListener("dragover", (event) => {
    if (!isPeople(event)) return;
    event.preventDefault();
    card.classList.add("drop-here");
  });
  card.addEventListener("dragleave", () => card.classList.remove("drop-here"));
  card.addEventListener("drop", (event) => {
    card.classList.remove("drop-here");
    if (!isPeople(event)) return;
    event.preventDefault();
    const others = JSON.parse(event.dataTransfer.getData(DRAGGED_TYPE));
    if (!others.map(String).includes(card.dataset.person)) onMerge(others);
  });
}
