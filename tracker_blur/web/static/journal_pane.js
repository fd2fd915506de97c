// Who changed what, and when: the newest first.

import { byId, el } from "./dom.js";
import { moment } from "./format.js";
import { attempt } from "./messages.js";
import { texts } from "./texts.js";

const SHOWN = 200;

/** Shows the journal while its pane is open. */
export class JournalPane {
  constructor({ store, api }) {
    Object.assign(this, { store, api });
    this.pane = byId("pane-journal");
    this.list = el("ol", { class: "journal plain" });
    this.pane.append(el("p", { class: "hint", text: texts.journal.intro }), this.list);
    store.on("video pane", () => this.show());
  }

  async show() {
    const { pane, video } = this.store;
    if (pane !== "journal" || !video) return;
    const answer = await attempt(this.api.journal);
    if (!answer) return;
    const lines = answer.lines.slice(-SHOWN).reverse();
    this.list.replaceChildren(...lines.map((line) => this.#line(line)));
    if (!lines.length) this.list.append(el("li", { class: "quiet", text: texts.journal.empty }));
  }

  #line({ at, who, edit, why, undone }) {
    const text = this.store.video.describe(edit);
    return el(
      "li",
      { class: undone ? "undone" : null },
      el("p", { text: why ? `${text} (${why})` : text }),
      el("p", { class: "quiet small", text: `${who} · ${moment(at)}` }),
    );
  }
}
