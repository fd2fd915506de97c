// The picture: fits, zooms, pans, and paints frames and what lies over them.

import { byId, setText } from "./dom.js";
import { texts } from "./texts.js";

const MOST_ZOOM = 32; // screen pixels a video pixel
const STEP = 320; // requested widths are multiples of it, so that few sizes are made
const SMALL = 70; // screen pixels: a face of this size can be judged
const LARGEST_STEP = 5;
const HURRIED_WIDTH = 640; // while scrubbing and playing

/** The canvas and its transform from video pixels to the screen. */
export class Stage {
  constructor({ store, loaders, paintOverlay }) {
    Object.assign(this, { store, loaders, paintOverlay });
    this.element = byId("stage");
    this.canvas = byId("canvas");
    this.context = this.canvas.getContext("2d");
    this.slider = byId("slider");
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.isFit = true;
    this.pending = 0;
    new ResizeObserver(() => this.#resize()).observe(this.element);
    this.slider.addEventListener("input", () => this.draw());
    store.on("video", () => this.#place());
    store.on("view frame video isScrubbing isPlaying", () => this.update());
    store.on("people track zone doubt tool doubts drawing", () => this.draw());
  }

  /** Ask for the pictures that the view needs, and paint. */
  update() {
    const { video, frame, view } = this.store;
    if (!video) return;
    this.slider.hidden = view !== "slider";
    const wanted = { frame, width: this.#width(), version: video.version };
    if (view !== "redacted") this.loaders.original.want({ ...wanted, version: 0 });
    if (view === "redacted" || view === "slider") this.loaders.redacted.want(wanted);
    this.draw();
  }

  /** Paint in the next frame of the screen. */
  draw() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.#paint());
  }

  toVideo(x, y) {
    return [(x - this.x) / (this.scale * this.aspect), (y - this.y) / this.scale];
  }

  toScreen(x, y) {
    return [x * this.scale * this.aspect + this.x, y * this.scale + this.y];
  }

  /** Show all of the picture. */
  fit() {
    this.isFit = true;
    this.#place();
    this.update();
  }

  /** Zoom around a point of the screen; without one, around the middle. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const least = this.#fitScale();
    const scale = Math.max(least, Math.min(MOST_ZOOM, this.scale * factor));
    const ratio = scale / this.scale;
    this.x = x - (x - this.x) * ratio;
    this.y = y - (y - this.y) * ratio;
    this.scale = scale;
    this.isFit = scale <= least * 1.001;
    this.#place();
    this.update();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#place();
    this.draw();
  }

  /** Pan so that a box can be seen, if it cannot. */
  reveal([left, top, right, bottom]) {
    if (this.isFit) return;
    const [x, y] = this.toScreen((left + right) / 2, (top + bottom) / 2);
    if (x > 0 && x < this.width && y > 0 && y < this.height) return;
    this.pan(this.width / 2 - x, this.height / 2 - y);
  }

  /** Zoom in to a box that is small on the screen, and show it in the middle. */
  focusOn([left, top, right, bottom]) {
    const size = Math.max(right - left, bottom - top) * this.scale;
    if (size < SMALL) this.zoom(Math.min(LARGEST_STEP, SMALL / Math.max(1, size)), ...this.toScreen((left + right) / 2, (top + bottom) / 2));
    this.reveal([left, top, right, bottom]);
  }

  /** Whether the stage shows the frame that is current, so that it may be edited. */
  get isCurrent() {
    return this.store.shown === this.store.frame;
  }

  /** How wide a pixel of the video is, if it is one high. */
  get aspect() {
    return this.store.video?.pixel_aspect || 1;
  }

  get width() {
    return this.element.clientWidth;
  }

  get height() {
    return this.element.clientHeight;
  }

  #width() {
    const { video, isScrubbing, isPlaying } = this.store;
    const full = video.width * this.aspect;
    const shown = this.scale * devicePixelRatio * full;
    const wanted = isScrubbing || isPlaying ? Math.min(shown, HURRIED_WIDTH) : shown;
    const width = Math.ceil(wanted / STEP - 0.01) * STEP;
    return width >= full ? null : width;
  }

  #fitScale() {
    const { video } = this.store;
    return video ? Math.min(this.width / (video.width * this.aspect), this.height / video.height) || 1 : 1;
  }

  #place() {
    const { video } = this.store;
    if (!video) return;
    if (this.isFit) this.scale = this.#fitScale();
    const keepIn = (offset, size, room) => (size <= room ? (room - size) / 2 : Math.max(room - size, Math.min(0, offset)));
    this.x = keepIn(this.x, video.width * this.aspect * this.scale, this.width);
    this.y = keepIn(this.y, video.height * this.scale, this.height);
    setText(byId("zoom-fit"), texts.units.percent(Math.round(this.scale * 100)));
  }

  /** The same part of the picture stays in view, smaller or larger. */
  #resize() {
    const [width, height] = [this.canvas.width / devicePixelRatio, this.canvas.height / devicePixelRatio]; // before
    if (!this.isFit && this.store.video) {
      const [x, y] = this.toVideo(width / 2, height / 2);
      this.scale = Math.max(this.#fitScale(), this.scale * Math.min(this.width / width, this.height / height));
      this.x = this.width / 2 - x * this.scale * this.aspect;
      this.y = this.height / 2 - y * this.scale;
    }
    this.canvas.width = Math.max(1, Math.round(this.width * devicePixelRatio));
    this.canvas.height = Math.max(1, Math.round(this.height * devicePixelRatio));
    this.#place();
    this.update();
    this.#paint(); // at once: a canvas is empty after its size has changed
  }

  #paint() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    const { store, context } = this;
    if (!store.video) return;
    const { original, redacted } = this.loaders;
    const pictures = store.view === "slider" ? [original, redacted] : [store.view === "redacted" ? redacted : original];
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const current = pictures[0].current;
    if (store.view === "slider") this.#paintBoth(original.current, redacted.current);
    else if (current) this.#paintPicture(current.image);
    store.set({ shown: pictures.every((loader) => loader.current?.frame === store.frame) ? store.frame : (current?.frame ?? -1) });
    byId("stage-wait").hidden = current !== null;
    this.element.dataset.frame = String(store.shown);
    this.element.dataset.ready = String(pictures.every((loader) => loader.isCurrent));
    this.paintOverlay(this);
  }

  #paintPicture(image) {
    const { video } = this.store;
    this.context.imageSmoothingEnabled = this.scale * devicePixelRatio < 3; // single pixels can be told apart
    this.context.drawImage(image, this.x, this.y, video.width * this.aspect * this.scale, video.height * this.scale);
  }

  #paintBoth(before, after) {
    const { context } = this;
    const at = (this.slider.value / this.slider.max) * this.width;
    this.#paintPart(before, 0, at);
    if (after && before && after.frame === before.frame) this.#paintPart(after, at, this.width);
    context.fillStyle = "#fff";
    context.fillRect(at - 1, 0, 2, this.height);
    this.#paintCaption(texts.views.before, at - 10, "right");
    this.#paintCaption(texts.views.after, at + 10, "left");
  }

  #paintPart(loaded, from, to) {
    if (!loaded) return;
    this.context.save();
    this.context.beginPath();
    this.context.rect(from, 0, to - from, this.height);
    this.context.clip();
    this.#paintPicture(loaded.image);
    this.context.restore();
  }

  #paintCaption(text, x, align) {
    const { context } = this;
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = align;
    context.textBaseline = "middle";
    const width = context.measureText(text).width;
    context.fillStyle = "rgb(0 0 0 / 65%)";
    context.fillRect(align === "right" ? x - width - 8 : x - 8, 10, width + 16, 22);
    context.fillStyle = "#fff";
    context.fillText(text, x, 21);
  }
}
