// Going through the video: buttons, time and frame number, speed.

import { byId, el, setAttribute, setText } from "./dom.js";
import { clock, parseClock } from "./format.js";
import { icon } from "./icons.js";
import { toast } from "./messages.js";
import { SPEEDS } from "./player.js";
import { texts } from "./texts.js";

/** The bar below the picture. */
export class Transport {
  constructor({ store, actions, player, times }) {
    Object.assign(this, { store, actions, player, times });
    const clicks = { "cut-back": () => this.cut(0), "step-back": () => this.step(-1), play: () => player.toggle(), "step-on": () => this.step(1), "cut-on": () => this.cut(1) };
    for (const [id, run] of Object.entries(clicks)) byId(id).addEventListener("click", run);
    byId("speed").append(...SPEEDS.map((speed) => el("option", { value: String(speed), text: texts.review.times(speed) })));
    byId("speed").value = "1";
    byId("speed").addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));
    byId("goto-form").addEventListener("submit", (event) => this.#goto(event));
    byId("goto").addEventListener("focus", (event) => event.target.select());
    byId("goto").addEventListener("blur", () => this.show());
    store.on("frame video", () => this.show());
    store.on("isPlaying", () => this.#showPlaying());
  }

  step(frames) {
    this.player.pause();
    this.actions.go(this.store.frame + frames);
  }

  /** Go on, or back, by a time. */
  skip(seconds) {
    this.player.pause();
    this.actions.go(this.times().frameAt(Math.max(0, this.times().seconds(this.store.frame) + seconds)));
  }

  /** Go to the cut before (0) or after (1). */
  cut(side) {
    this.player.pause();
    this.actions.go(this.store.video.cutsAround(this.store.frame)[side]);
  }

  /** Make the video faster (1) or slower (-1). */
  changeSpeed(step) {
    const at = SPEEDS.indexOf(this.player.speed) + step;
    if (SPEEDS[at] === undefined) return;
    this.player.setSpeed(SPEEDS[at]);
    byId("speed").value = String(SPEEDS[at]);
    toast(texts.review.times(SPEEDS[at]));
  }

  focusGoto() {
    byId("goto").focus();
  }

  /** Read a time, or a frame number after "#", which counts from 1 as the page shows it. */
  #goto(event) {
    event.preventDefault();
    const text = byId("goto").value.trim();
    const number = /^#\s*(\d+)$/.exec(text);
    const seconds = number ? null : parseClock(text);
    if (!number && seconds === null) {
      toast(texts.review.noTime, { kind: "error" });
      return;
    }
    this.actions.go(number ? Number(number[1]) - 1 : this.times().frameAt(seconds + 0.005)); // what is shown was cut to 0.01
    byId("stage").focus({ preventScroll: true });
  }

  show() {
    const { video, frame } = this.store;
    if (!video) return;
    const seconds = this.times().seconds(frame);
    if (document.activeElement !== byId("goto")) byId("goto").value = clock(seconds);
    setText(byId("length"), texts.review.of(clock(video.duration, 1)));
    setText(byId("frame-text"), texts.review.frame(frame + 1, video.frames));
    setText(byId("stage-text"), video.is_image ? "" : texts.review.where(clock(seconds), frame + 1, video.frames));
  }

  #showPlaying() {
    const { isPlaying } = this.store;
    const button = byId("play");
    button.replaceChildren(icon(isPlaying ? "pause" : "play"));
    setAttribute(button, "aria-label", isPlaying ? texts.review.pause : texts.review.play);
    button.title = button.getAttribute("aria-label");
  }
}
