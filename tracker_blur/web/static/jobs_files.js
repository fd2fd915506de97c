// The files of the folder, and which of them are chosen.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { bytes, moment } from "./format.js";
import { icon } from "./icons.js";
import { attempt } from "./messages.js";
import { texts } from "./texts.js";

const KEY = "trackblur-files"; // what is shown and chosen, in this window

/** Lists a folder; `onChoice` gets the chosen entries, `onReview` the path of a video to look at. */
export class FileList {
  constructor({ onChoice, onReview }) {
    this.onChoice = onChoice;
    this.onReview = onReview;
    this.path = "";
    this.entries = [];
    this.paths = new Set();
    byId("choose-all").addEventListener("change", (event) => this.choose(event.target.checked ? this.#undone().map(({ path }) => path) : []));
  }

  /** Show what was shown and chosen before, as before a visit to a review. */
  async restore() {
    const { path = "", chosen = [] } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const answer = path ? await api.files(path).catch(() => null) : null; // it may be gone
    await this.open(answer ? path : "");
    this.choose(chosen);
  }

  async open(path) {
    const answer = await attempt(() => api.files(path));
    if (!answer) return;
    this.path = answer.path;
    this.entries = answer.entries;
    this.paths.clear();
    this.#show();
  }

  /** Read the folder again; what is chosen stays chosen, and `path` is, too. */
  async reload(path = null) {
    const answer = await attempt(() => api.files(this.path));
    if (!answer || answer.path !== this.path) return;
    this.entries = answer.entries;
    if (path !== null) this.paths.add(path);
    this.#show();
  }

  chosen() {
    return this.entries.filter((entry) => this.paths.has(entry.path));
  }

  /** What is chosen, with the files in chosen folders in place of these. */
  async chosenFiles() {
    const parts = await Promise.all(this.chosen().map((entry) => (entry.kind === "folder" ? filesIn(entry.path) : [entry])));
    return parts.flat();
  }

  choose(paths) {
    this.paths = new Set(paths);
    this.#show();
  }

  #show() {
    const known = new Set(this.entries.map((entry) => entry.path));
    for (const path of this.paths) if (!known.has(path)) this.paths.delete(path);
    this.#showCrumbs();
    const focused = document.activeElement?.id;
    byId("entries").replaceChildren(...this.entries.map((entry, at) => this.#row(entry, at)));
    if (focused) byId(focused)?.focus();
    sessionStorage.setItem(KEY, JSON.stringify({ path: this.path, chosen: [...this.paths] }));
    this.#showAll();
    byId("no-entries").hidden = this.entries.length > 0;
    byId("drop-anywhere").hidden = this.entries.length === 0;
    this.onChoice(this.chosen());
  }

  /** The box above the files: whether all are chosen that have no result yet. */
  #showAll() {
    const undone = this.#undone();
    byId("choose-all-row").hidden = undone.length < 2;
    byId("choose-all").checked = undone.length > 0 && undone.every(({ path }) => this.paths.has(path));
  }

  /** The files and folders that are no results, and have none. */
  #undone() {
    return this.entries.filter((entry) => !entry.redacted_of && !this.#hasResult(entry));
  }

  #hasResult({ path }) {
    return this.entries.some(({ redacted_of: original }) => original === path);
  }

  #showCrumbs() {
    const parts = this.path.split("/").filter(Boolean);
    const crumb = (text, path) => el("button", { type: "button", class: "link", text, on: { click: () => this.open(path) } });
    const links = parts.map((part, at) => crumb(part, parts.slice(0, at + 1).join("/")));
    byId("crumbs").replaceChildren(crumb(texts.jobs.top, ""), ...links);
    byId("crumbs").hidden = parts.length === 0;
  }

  #row(entry, at) {
    return entry.kind === "folder" ? this.#folder(entry, at) : this.#file(entry, at);
  }

  #folder(entry, at) {
    return el(
      "li",
      { class: "entry" },
      this.#check(entry, at),
      el(
        "button",
        { type: "button", class: "entry-name link", id: `entry-${at}`, on: { click: () => this.open(entry.path) } },
        icon("folder"),
        el("span", { text: entry.name }),
      ),
      this.#badge(entry),
      this.#download(entry, at),
    );
  }

  #file(entry, at) {
    return el(
      "li",
      { class: `entry${this.paths.has(entry.path) ? " chosen" : ""}` },
      this.#check(entry, at),
      el(
        "label",
        { class: "entry-name", for: `check-${at}` },
        icon(entry.kind === "image" ? "image" : "video"),
        el("span", { class: "grow" }, el("span", { class: "name", text: entry.name }), el("span", { class: "quiet small", text: `${bytes(entry.bytes)} · ${moment(entry.modified)}` })),
        this.#badge(entry),
      ),
      this.#download(entry, at),
      entry.has_tracks &&
        el("button", { type: "button", id: `review-${at}`, "aria-label": texts.jobs.reviewFile(entry.name), text: texts.jobs.review, on: { click: () => this.onReview(entry.path) } }),
    );
  }

  #check(entry, at) {
    const box = el("input", { type: "checkbox", id: `check-${at}`, "aria-label": texts.jobs.choose(entry.name), on: { change: () => this.#toggle(entry.path) } });
    box.checked = this.paths.has(entry.path);
    return box;
  }

  #download(entry, at) {
    if (!entry.is_result) return null;
    return el("a", { class: "button", id: `download-${at}`, href: api.fileUrl(entry.path), download: true, "aria-label": texts.jobs.downloadFile(entry.name) }, icon("download"), el("span", { text: texts.jobs.buttons.download }));
  }

  #badge(entry) {
    const text = this.#badgeText(entry);
    return text && el("span", { class: `badge ${entry.redacted_of ? "good" : ""}`, text });
  }

  #badgeText(entry) {
    if (entry.redacted_of) return texts.jobs.resultOf(entry.redacted_of.split("/").pop());
    if (this.#hasResult(entry)) return texts.jobs.hasResult;
    if (entry.has_journal) return texts.jobs.hasJournal;
    return entry.has_tracks ? texts.jobs.hasTracks : null;
  }

  #toggle(path) {
    if (!this.paths.delete(path)) this.paths.add(path);
    this.#show();
  }
}

/** The files in a folder and in those below it; results of earlier runs are left out. */
async function filesIn(path) {
  const answer = await attempt(() => api.files(path));
  const entries = answer?.entries.filter(({ redacted_of: original }) => !original) ?? [];
  const parts = await Promise.all(entries.map((entry) => (entry.kind === "folder" ? filesIn(entry.path) : [entry])));
  return parts.flat();
}
