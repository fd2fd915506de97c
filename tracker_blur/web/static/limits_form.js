// Limits: which sizes and which time count at all.

import { el } from "./dom.js";
import { clock, parseClock } from "./format.js";
import { toast } from "./messages.js";
import { texts } from "./texts.js";

const SIZE = /^\d{1,6}(?:\.\d+)?%?$/;
const FIELDS = [["min_size", false], ["max_size", false], ["from", true], ["to", true]];

/** The form, folded away; each field is an edit of its own. */
export class LimitsForm {
  constructor({ store, session }) {
    Object.assign(this, { store, session });
    this.inputs = new Map(FIELDS.map(([name, isTime]) => [name, this.#input(name, isTime)]));
    const rows = FIELDS.flatMap(([name]) => [el("label", { for: `limit-${name}`, text: texts.limits[name] }), this.inputs.get(name)]);
    this.element = el("details", { class: "limits" }, el("summary", { text: texts.limits.title }), el("p", { class: "hint", text: texts.limits.intro }), el("div", { class: "grid-form" }, ...rows));
    store.on("video", () => this.show());
  }

  show() {
    const { limits } = this.store.video;
    for (const [name, isTime] of FIELDS) {
      const value = limits[name] ?? null;
      this.inputs.get(name).value = value === null ? "" : isTime ? clock(parseClock(value), 3) : value;
    }
    if (FIELDS.some(([name]) => (limits[name] ?? null) !== null)) this.element.open = true;
  }

  #input(name, isTime) {
    const input = el("input", { id: `limit-${name}`, class: "time", autocomplete: "off", placeholder: texts.limits.none });
    input.addEventListener("change", () => this.#change(name, isTime, input.value.trim()));
    return input;
  }

  async #change(name, isTime, text) {
    const seconds = isTime && text ? parseClock(text) : 0;
    if (seconds === null || (!isTime && text && !SIZE.test(text))) {
      toast(isTime ? texts.common.noTime : texts.limits.noSize, { kind: "error" });
      this.show();
      return;
    }
    const value = text === "" ? null : isTime ? `${Number(seconds.toFixed(3))}s` : text;
    await this.session.edit({ op: "limits", ...this.store.video.limits, [name]: value }, { said: texts.limits.changed });
  }
}
