// The timeline: when each person is seen, and where to go with the pointer.

import { byId, el, setAttribute } from "./dom.js";
import { clock } from "./format.js";
import { texts } from "./texts.js";
import { GUTTER, LANE, ORIGINS, OVERVIEW, paintTimeline, readColors, ROW, rowsOf, RULER } from "./timeline_paint.js";
import { TimelineScale } from "./timeline_scale.js";

const REACH = 6; // pixels around the end of a part
const WHEEL = 0.0022;

/** Paints on a canvas what can be seen of the video's time. */
export class Timeline {
  constructor({ store, actions, boxes, times }) {
    Object.assign(this, { store, actions, boxes, times });
    this.canvas = byId("timeline");
    this.context = this.canvas.getContext("2d");
    this.scale = new TimelineScale();
    this.scroll = 0;
    this.lanes = [];
    this.pending = 0;
    this.gesture = null;
    this.colors = readColors(document.documentElement);
    this.#showLegend();
    this.#listen();
    store.on("video", () => this.#setVideo());
    store.on("frame", () => this.#follow());
    store.on("people", () => this.#revealLane());
    store.on("frame video doubts doubt people track zone", () => this.draw());
  }

  draw() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.#paint());
  }

  zoom(factor) {
    const x = this.scale.x(this.store.frame);
    const isSeen = x >= this.scale.left && x <= this.scale.left + this.scale.width;
    this.scale.zoom(factor, isSeen ? x : undefined);
    this.draw();
  }

  showAll() {
    this.scale.showAll();
    this.draw();
  }

  #showLegend() {
    const items = ORIGINS.map((name) => el("li", { title: texts.timeline.explained[name] }, el("span", { class: `key ${name}`, "aria-hidden": "true" }), el("span", { text: texts.timeline.origins[name] })));
    byId("legend").replaceChildren(...items);
  }

  #listen() {
    const { canvas } = this;
    new ResizeObserver(() => this.#resize()).observe(canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colors = readColors(document.documentElement);
      this.draw();
    });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    byId("time-in").addEventListener("click", () => this.zoom(1.6));
    byId("time-out").addEventListener("click", () => this.zoom(1 / 1.6));
    byId("time-all").addEventListener("click", () => this.showAll());
  }

  #setVideo() {
    const { video } = this.store;
    this.lanes = [...video.people].sort((one, other) => (other.class === "face") - (one.class === "face") || one.class.localeCompare(other.class) || one.first - other.first);
    setAttribute(this.canvas, "aria-valuemax", video.lastFrame);
    this.#resize();
  }

  #follow() {
    const { frame, video } = this.store;
    if (!this.gesture) this.scale.reveal(frame);
    setAttribute(this.canvas, "aria-valuenow", frame);
    setAttribute(this.canvas, "aria-valuetext", texts.review.where(clock(this.times().seconds(frame)), frame + 1, video.frames));
  }

  #revealLane() {
    const { people } = this.store;
    if (people.length !== 1) return;
    const at = this.lanes.findIndex(({ id }) => id === people[0]);
    const room = this.#room();
    if (at < 0) return;
    if (at * LANE < this.scroll) this.scroll = at * LANE;
    else if ((at + 1) * LANE > this.scroll + room) this.scroll = (at + 1) * LANE - room;
    this.#clampScroll();
  }

  get top() {
    return RULER + 1 + (this.store.video ? rowsOf(this.store).length : 0) * ROW + 2;
  }

  #room() {
    return Math.max(LANE, this.height - this.top - OVERVIEW);
  }

  #clampScroll() {
    this.scroll = Math.max(0, Math.min(this.lanes.length * LANE - this.#room(), this.scroll));
  }

  #resize() {
    const { canvas } = this;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    canvas.width = Math.max(1, Math.round(this.width * devicePixelRatio));
    canvas.height = Math.max(1, Math.round(this.height * devicePixelRatio));
    this.scale.setSize(GUTTER, this.width - GUTTER - 8, this.store.video?.frames ?? 1);
    this.#clampScroll();
    this.#paint(); // at once: a canvas is empty after its size has changed
  }

  #paint() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    const { store, scale, lanes, top, boxes, colors, width, height } = this;
    if (!store.video || width < 2) return;
    this.#clampScroll();
    const scroll = this.#wholeScroll();
    this.context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    paintTimeline(this.context, { store, scale, lanes, top, scroll, boxes, colors, width, height, times: this.times(), rows: rowsOf(store) });
  }

  /** Whole lanes, so that none is cut off at the top. */
  #wholeScroll() {
    return Math.round(this.scroll / LANE) * LANE;
  }

  #laneAt(y) {
    return y < this.top ? null : (this.lanes[Math.floor((y - this.top + this.#wholeScroll()) / LANE)] ?? null);
  }

  /** The end of the selected part that is under the pointer: "first", "last" or null. */
  #endAt(x, y) {
    const track = this.store.video.trackById.get(this.store.track);
    if (!track || !this.#laneAt(y)?.tracks.includes(track.id)) return null;
    if (Math.abs(this.scale.x(track.last + 1) - x) <= REACH) return "last";
    return Math.abs(this.scale.x(track.first) - x) <= REACH ? "first" : null;
  }

  #down(event) {
    if (event.button !== 0 || !this.store.video) return;
    const [x, y] = [event.offsetX, event.offsetY];
    this.canvas.setPointerCapture(event.pointerId);
    const lane = this.#laneAt(y);
    if (!this.scale.isAll && y > this.height - OVERVIEW) this.gesture = { kind: "overview" };
    else if (this.#endAt(x, y)) this.gesture = { kind: "end", end: this.#endAt(x, y), track: this.store.video.trackById.get(this.store.track) };
    else {
      if (lane) this.actions.selectPerson(lane.id, { isMore: event.ctrlKey || event.metaKey, isJump: x < GUTTER });
      if (x < GUTTER) return;
      const doubt = this.#doubtAt(x, y);
      if (doubt) {
        this.onDoubt?.(doubt);
        return;
      }
      this.gesture = { kind: "scrub" };
      this.store.set({ isScrubbing: true });
    }
    this.#drag(x);
  }

  #doubtAt(x, y) {
    const row = Math.floor((y - RULER - 1) / ROW);
    if (y < RULER || rowsOf(this.store)[row] !== "doubts") return null;
    const away = ({ frame, last }) => Math.max(this.scale.x(frame) - x, x - this.scale.x(last + 1), 0);
    return this.store.doubts.filter(({ seen }) => !seen).sort((one, other) => away(one) - away(other)).find((doubt) => away(doubt) < REACH) ?? null;
  }

  #move(event) {
    const [x, y] = [event.offsetX, event.offsetY];
    if (this.gesture) this.#drag(x);
    else if (this.store.video) this.canvas.style.cursor = this.#endAt(x, y) ? "ew-resize" : x < GUTTER ? "pointer" : "default";
  }

  #drag(x) {
    const { gesture, scale, store } = this;
    if (gesture.kind === "overview") {
      scale.first = ((x - scale.left) / scale.width) * scale.frames - scale.visible / 2;
      scale.scroll(0);
      this.draw();
      return;
    }
    if (x > scale.left + scale.width - 4 && !scale.isAll) scale.scroll(12);
    if (x < scale.left + 4 && !scale.isAll) scale.scroll(-12);
    const { track, end } = gesture;
    // The last frame's right edge is the end, so the frame that is shown is the previous one.
    const frame = scale.frame(end === "last" ? x - scale.perFrame / 2 : x);
    if (track) gesture.frame = end === "last" ? Math.max(track.first, store.video.clamp(frame)) : Math.min(track.last, store.video.clamp(frame));
    this.actions.go(gesture.frame ?? frame);
  }

  async #up() {
    const { gesture, store } = this;
    this.gesture = null;
    store.set({ isScrubbing: false });
    if (gesture?.kind !== "end") return;
    const { track, end, frame } = gesture;
    if (frame === undefined || frame === track[end]) return;
    await this.actions.setEnds(track, end === "first" ? frame : track.first, end === "last" ? frame : track.last);
  }

  #wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode ? 20 : 1;
    const hasMore = this.lanes.length * LANE > this.#room();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.scale.scroll((event.deltaX || event.deltaY) * unit);
    else if (event.ctrlKey || event.offsetY < this.top || !hasMore) this.scale.zoom(Math.exp(-event.deltaY * unit * WHEEL), event.offsetX);
    else this.scroll += event.deltaY * unit;
    this.draw();
  }

  #key(event) {
    const runs = { "+": () => this.zoom(1.6), "=": () => this.zoom(1.6), "-": () => this.zoom(1 / 1.6), 0: () => this.showAll(), ArrowDown: () => this.#nextLane(1), ArrowUp: () => this.#nextLane(-1) };
    const run = event.ctrlKey || event.metaKey || event.altKey ? null : runs[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  #nextLane(step) {
    if (!this.lanes.length) return;
    const at = this.lanes.findIndex(({ id }) => id === this.store.people[0]);
    const lane = this.lanes[Math.max(0, Math.min(this.lanes.length - 1, at < 0 ? 0 : at + step))];
    this.actions.selectPerson(lane.id);
  }
}
