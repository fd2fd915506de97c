// What the review page shows now. Parts of the page listen to the keys that concern them.

/** A set of values; listeners run once after all changes of one moment, not during them. */
export class Store {
  #listeners = [];
  #changed = new Set();

  constructor(values) {
    Object.assign(this, values);
  }

  /** Change values; nothing happens for those that stay the same. */
  set(values) {
    for (const [key, value] of Object.entries(values)) {
      if (this[key] === value) continue;
      this[key] = value;
      if (this.#changed.size === 0) queueMicrotask(() => this.#notify());
      this.#changed.add(key);
    }
  }

  /** Call `listener` when one of the keys, separated by spaces, has changed. */
  on(keys, listener) {
    this.#listeners.push([keys.split(" "), listener]);
  }

  /** The same, before all who listened earlier. */
  first(keys, listener) {
    this.#listeners.unshift([keys.split(" "), listener]);
  }

  #notify() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const [keys, listener] of this.#listeners) {
      if (keys.some((key) => changed.has(key))) listener();
    }
  }
}

/** The values at the start. Frames count from 0; selections hold ids. */
export function newStore() {
  return new Store({
    video: null, // see video.js
    doubts: [],
    frame: 0,
    shown: -1, // the frame that the stage shows, which is `frame` as soon as it has come
    isScrubbing: false,
    isPlaying: false,
    view: "boxes",
    tool: "select",
    people: [], // selected
    track: null, // the part of them that is edited
    isWhole: false, // whether dragging a box moves all of its part
    zone: null,
    sound: null,
    doubt: null,
    pane: "doubts",
    drawing: null, // what is being drawn: {box} or {points}
    drawFor: null, // the part that the next box continues with; null: someone new
    zoneRule: "hide", // of the next area
  });
}
