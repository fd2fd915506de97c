// Boxes and times of frames, fetched in pieces and kept.

import { showError } from "./messages.js";

const CHUNK = 120; // frames: five seconds of boxes are some kilobytes
const KEPT = 60; // chunks: the boxes of about five minutes
const TIMES_CHUNK = 600;

/** The boxes of frames. Those of an older version are shown until the newer ones have come. */
export class BoxCache {
  constructor(api, onLoad) {
    this.api = api;
    this.onLoad = onLoad;
    this.chunks = new Map();
    this.version = null;
    this.lastFrame = 0;
  }

  /** From now on, boxes are those of this version of the video. */
  setVersion(version, lastFrame) {
    this.version = version;
    this.lastFrame = lastFrame;
  }

  /** The boxes of a frame: {track, box, origin, score}; an empty list until they have come. */
  at(frame) {
    const chunk = this.#chunk(Math.floor(frame / CHUNK));
    return chunk?.frames.get(frame) ?? [];
  }

  /** Whether the boxes of this frame are known, and those of the current version. */
  isReady(frame) {
    const chunk = this.chunks.get(Math.floor(frame / CHUNK));
    return chunk?.version === this.version;
  }

  /** Show a box that was just drawn or changed, before the server's boxes have come. */
  put(frame, track, box) {
    const frames = this.chunks.get(Math.floor(frame / CHUNK))?.frames;
    if (!frames) return;
    const others = (frames.get(frame) ?? []).filter((face) => face.track !== track);
    frames.set(frame, [...others, { track, box, origin: "drawn", score: 1 }]);
    this.onLoad();
  }

  #chunk(number) {
    const chunk = this.chunks.get(number) ?? { version: null, loading: null, frames: null };
    this.chunks.delete(number); // the one that was used last is dropped last
    this.chunks.set(number, chunk);
    if (chunk.version !== this.version && chunk.loading !== this.version) this.#load(number, chunk);
    if (this.chunks.size > KEPT) this.chunks.delete(this.chunks.keys().next().value);
    return chunk.frames ? chunk : null;
  }

  async #load(number, chunk) {
    const version = this.version;
    chunk.loading = version;
    try {
      const answer = await this.api.boxes(number * CHUNK, Math.min(this.lastFrame, number * CHUNK + CHUNK - 1));
      if (chunk.loading !== version) return;
      chunk.frames = new Map();
      for (const [frame, track, left, top, right, bottom, origin, score] of answer.boxes) {
        if (!chunk.frames.has(frame)) chunk.frames.set(frame, []);
        chunk.frames.get(frame).push({ track, box: [left, top, right, bottom], origin, score });
      }
      chunk.version = version;
      this.onLoad();
    } catch (error) {
      showError(error);
    } finally {
      if (chunk.loading === version) chunk.loading = null;
    }
  }
}

/** When frames are shown, in seconds since the first one. Guessed from the rate until it is known. */
export class TimeCache {
  constructor(api, { fps, frames }, onLoad) {
    Object.assign(this, { api, fps: fps || 25, frames, onLoad });
    this.chunks = new Map();
  }

  seconds(frame) {
    const chunk = this.#chunk(Math.floor(frame / TIMES_CHUNK));
    return chunk?.[frame % TIMES_CHUNK] ?? frame / this.fps;
  }

  /** The frame that is on the screen at a time. */
  frameAt(seconds) {
    const guess = Math.max(0, Math.min(this.frames - 1, Math.floor(seconds * this.fps + 1e-6)));
    let frame = guess;
    while (frame > 0 && this.#known(frame) > seconds) frame -= 1;
    while (frame < this.frames - 1 && this.#known(frame + 1) <= seconds) frame += 1;
    return frame;
  }

  #known(frame) {
    return this.chunks.get(Math.floor(frame / TIMES_CHUNK))?.[frame % TIMES_CHUNK] ?? frame / this.fps;
  }

  #chunk(number) {
    if (this.chunks.has(number)) return this.chunks.get(number);
    this.chunks.set(number, null);
    const first = number * TIMES_CHUNK;
    this.api.times(first, Math.min(this.frames - 1, first + TIMES_CHUNK - 1)).then(
      (answer) => {
        this.chunks.set(number, answer.pts);
        this.onLoad();
      },
      (error) => {
        this.chunks.delete(number);
        showError(error);
      },
    );
    return null;
  }
}
