// Folders that are watched: what appears in one is hidden into another.

import { api } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { ask, attempt } from "./messages.js";
import { texts } from "./texts.js";

/** The watched folders; `settings` returns what the form says when one is added. */
export class Watches {
  constructor({ settings }) {
    this.settings = settings;
    byId("watch").addEventListener("click", () => this.#add());
  }

  async load() {
    const answer = await attempt(api.watches);
    if (!answer) return;
    byId("watches").replaceChildren(...answer.watches.map((watch) => this.#row(watch)));
  }

  #row(watch) {
    const text = texts.jobs.watched(watch.folder, watch.target);
    const drop = () => attempt(() => api.dropWatch({ folder: watch.folder })).then(() => this.load());
    return el(
      "li",
      {},
      icon("folder"),
      el("span", { class: "grow" }, el("span", { text }), watch.problem && el("span", { class: "caution small", role: "alert", text: texts.jobs.watchProblem(watch.problem) })),
      el("button", { type: "button", class: "icon-button", "aria-label": texts.jobs.watchStop(watch.folder), title: texts.jobs.watchStop(watch.folder), on: { click: drop } }, icon("close")),
    );
  }

  async #add() {
    const answer = await attempt(() => api.files(""));
    const folders = answer?.entries.filter(({ kind }) => kind === "folder") ?? [];
    byId("folders").replaceChildren(...folders.map(({ path }) => el("option", { value: path })));
    setText(byId("watch-error"), "");
    while ((await ask(byId("watch-dialog"))) === "watch") {
      const body = { folder: byId("watch-folder").value, target: byId("watch-target").value, settings: this.settings() };
      try {
        await api.addWatch(body);
        await this.load();
        return;
      } catch (error) {
        setText(byId("watch-error"), error.message || texts.common.unreachable); // what was written stays
      }
    }
  }
}
