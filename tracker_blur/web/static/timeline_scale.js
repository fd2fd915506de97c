// The timeline's scale: which frame is where, and how it scrolls.

const MOST = 48; // screen pixels a frame

/** Maps frames to x, from `left` to `left + width`. */
export class TimelineScale {
  constructor() {
    this.left = 0;
    this.width = 1;
    this.frames = 1;
    this.first = 0; // the frame at the left edge; a fraction
    this.perFrame = 1; // screen pixels
    this.isAll = true;
  }

  setSize(left, width, frames) {
    Object.assign(this, { left, width: Math.max(1, width), frames });
    this.#settle();
  }

  get least() {
    return this.width / this.frames;
  }

  x(frame) {
    return this.left + (frame - this.first) * this.perFrame;
  }

  frame(x) {
    return Math.floor((x - this.left) / this.perFrame + this.first);
  }

  /** How many frames can be seen; a fraction. */
  get visible() {
    return this.width / this.perFrame;
  }

  zoom(factor, x = this.left + this.width / 2) {
    const at = (x - this.left) / this.perFrame + this.first;
    this.perFrame = Math.max(this.least, Math.min(Math.max(MOST, this.least), this.perFrame * factor));
    this.isAll = this.perFrame <= this.least * 1.0001;
    this.first = at - (x - this.left) / this.perFrame;
    this.#settle();
  }

  showAll() {
    this.isAll = true;
    this.#settle();
  }

  scroll(pixels) {
    this.first += pixels / this.perFrame;
    this.#settle();
  }

  /** Scroll so that a frame can be seen. */
  reveal(frame) {
    if (frame >= this.first && frame + 1 <= this.first + this.visible) return false;
    this.first = frame - this.visible / 2;
    this.#settle();
    return true;
  }

  #settle() {
    if (this.isAll) this.perFrame = this.least;
    this.perFrame = Math.max(this.perFrame, this.least);
    this.first = Math.max(0, Math.min(this.frames - this.visible, this.first));
  }
}
