// Fetches pictures of frames: one at a time, always the newest that is wanted.

import { showError } from "./messages.js";

const PATIENCE_MS = 400; // a request that takes longer is overtaken by a newer one
const KEPT_PIXELS = 24e6; // about 100 MB of decoded pictures

/** Loads one view, "original" or "redacted"; `onFrame` is called when a picture has come. */
export class FrameLoader {
  constructor(api, view, onFrame) {
    Object.assign(this, { api, view, onFrame });
    this.client = `${randomName()}-${view[0]}`;
    this.seq = 0;
    this.wanted = null;
    this.current = null; // {frame, width, version, image}
    this.kept = new Map();
    this.running = null;
  }

  /** Ask for a frame: {frame, width, version}; width null is full size. */
  want(wanted) {
    this.wanted = wanted;
    const kept = this.#find(wanted);
    if (kept) this.#show(kept);
    else this.#start();
  }

  /** Whether what is shown is what was requested. */
  get isCurrent() {
    return this.current !== null && this.wanted !== null && isSame(this.current, this.wanted) && isEnough(this.current, this.wanted);
  }

  #find(wanted) {
    for (const kept of this.kept.values()) if (isSame(kept, wanted) && isEnough(kept, wanted)) return kept;
    return null;
  }

  #start() {
    if (this.running) {
      const age = performance.now() - this.running.began;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#overtake(), Math.max(0, PATIENCE_MS - age));
      return;
    }
    this.#load(this.wanted);
  }

  #overtake() {
    if (!this.running || !this.wanted || isSame(this.running.request, this.wanted)) return;
    this.running.abort.abort();
    this.running = null;
    this.#load(this.wanted);
  }

  async #load(request) {
    const running = { request, began: performance.now(), abort: new AbortController() };
    this.running = running;
    this.seq += 1;
    let image = null;
    try {
      image = await this.api.frame(request.frame, { view: this.view, width: request.width, client: this.client, seq: this.seq, signal: running.abort.signal });
    } catch (error) {
      showError(error);
      if (this.wanted === request) this.wanted = null;
    }
    if (this.running !== running) return;
    this.running = null;
    clearTimeout(this.timer);
    if (image) {
      const loaded = { ...request, image };
      this.#keep(loaded);
      if (request.version === this.wanted?.version) this.#show(loaded);
    }
    if (this.wanted && !this.isCurrent) this.want(this.wanted);
  }

  #show(loaded) {
    this.current = loaded;
    this.onFrame();
  }

  #keep(loaded) {
    const key = `${loaded.version} ${loaded.frame} ${loaded.width}`;
    this.kept.delete(key);
    this.kept.set(key, loaded);
    let pixels = [...this.kept.values()].reduce((sum, { image }) => sum + image.width * image.height, 0);
    for (const [oldest, { image }] of this.kept) {
      if (pixels <= KEPT_PIXELS || oldest === key) break;
      pixels -= image.width * image.height;
      this.kept.delete(oldest);
    }
  }
}

const isSame = (one, other) => one.frame === other.frame && one.version === other.version;
const isEnough = (has, needs) => has.width === null || (needs.width !== null && has.width >= needs.width);

function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
