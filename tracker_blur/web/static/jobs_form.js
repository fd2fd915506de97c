// What to hide, how, and how carefully.

import { byId, el, setText } from "./dom.js";
import { texts } from "./texts.js";

const LOGO = "image"; // needs a picture to put over faces, which only the command line takes

/** The form; `onStart` hides at once, `onLook` searches for people so that they can be reviewed. */
export class JobForm {
  constructor({ onStart, onLook }) {
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      onStart();
    });
    byId("look").addEventListener("click", onLook);
  }

  /** Offer what the server knows. */
  show({ classes, methods, detectors, care }) {
    const chosenClass = classes.includes("faces") ? "faces" : classes[0];
    byId("classes").replaceChildren(...classes.map((name) => choice("checkbox", "classes", name, texts.classes.plural(name), null, name === chosenClass)));
    const tiles = (kind) => methods.filter(({ name, class: its }) => its === kind && name !== LOGO).sort(byName).map((method) => methodTile(method));
    byId("methods").replaceChildren(...tiles("destructive"));
    byId("methods").querySelector("input").checked = true;
    byId("weaker").replaceChildren(...tiles("cosmetic"));
    byId("care").replaceChildren(...care.map((level) => choice("radio", "care", level, texts.care[level]?.name ?? level, texts.care[level]?.hint ?? null, level === "normal")));
    byId("details").replaceChildren(
      ...select("detector", texts.jobs.detector, [["", texts.jobs.automatic], ...detectors.filter((name) => name !== "auto").map((name) => [name, name])]),
      ...select("audio", texts.jobs.audio, Object.entries(texts.jobs.audioChoices)),
      ...select("metadata", texts.jobs.metadata, Object.entries(texts.jobs.metadataChoices)),
    );
  }

  /** The settings of a job, as the server takes them; those that its action has no use for are left out. */
  settings(action) {
    const data = new FormData(byId("form"));
    const names = action === "track" ? ["detector"] : ["detector", "audio", "metadata"];
    const options = Object.fromEntries(names.filter((name) => data.get(name)).map((name) => [name, data.get(name)]));
    return { classes: data.getAll("classes"), method: data.get("method"), care: data.get("care"), options };
  }

  showChoice(entries) {
    const count = entries.length;
    setText(byId("chosen"), count ? texts.jobs.chosen(count) : texts.jobs.noneChosen);
    byId("hide").disabled = byId("look").disabled = count === 0;
  }
}

function choice(type, name, value, text, hint, isChosen) {
  const input = el("input", { type, name, value, id: `${name}-${value}` });
  input.checked = isChosen;
  return el("label", { class: "choice", for: input.id }, input, el("span", {}, el("span", { class: "choice-name", text }), hint && el("span", { class: "quiet small", text: hint })));
}

const rank = ({ name }) => ["mosaic", "solid"].indexOf(name) >>> 0; // the usual ones first
const byName = (one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name);

function methodTile(method) {
  const input = el("input", { type: "radio", name: "method", value: method.name, id: `method-${method.name}`, class: "visually-hidden" });
  const known = texts.methods[method.name];
  const isSafe = method.class === "destructive";
  return el(
    "label",
    { class: "tile", for: input.id },
    input,
    el("span", { class: `swatch swatch-${method.name}`, "aria-hidden": "true" }),
    el("span", { class: "choice-name", text: known?.name ?? method.name }),
    el("span", { class: `small ${isSafe ? "quiet" : "caution"}`, text: isSafe ? texts.methods.safe : texts.methods.unsafe }),
  );
}

function select(name, text, choices) {
  const list = el("select", { name, id: `option-${name}` }, ...choices.map(([value, shown]) => el("option", { value, text: shown })));
  return [el("label", { for: list.id, text }), list];
}
