// Plays the video: frames come from the server as when stepping, the clock from the sound if there is any.

import { byId } from "./dom.js";
import { parseSpan } from "./sounds_pane.js";

export const SPEEDS = [0.25, 0.5, 1, 2, 4];

/** Moves the current frame along with time. What cannot be shown in time is left out, never shown late. */
export class Player {
  constructor({ store, times, api }) {
    Object.assign(this, { store, times, api });
    this.sound = byId("sound");
    this.speed = 1;
    this.hasSound = false;
    this.sound.addEventListener("error", () => (this.hasSound = false));
    byId("volume").addEventListener("input", (event) => (this.sound.volume = Number(event.target.value)));
    store.on("video", () => (byId("volume").hidden = !store.video.has_audio));
    store.on("isScrubbing", () => store.isScrubbing && this.pause());
  }

  async toggle() {
    if (this.store.isPlaying) this.pause();
    else await this.play();
  }

  async play() {
    const { store } = this;
    if (store.video.is_image) return;
    if (store.frame >= store.video.lastFrame) store.set({ frame: 0 });
    this.#restart();
    store.set({ isPlaying: true });
    if (store.video.has_audio) await this.#startSound();
    requestAnimationFrame(() => this.#tick());
  }

  pause() {
    this.sound.pause();
    this.store.set({ isPlaying: false });
  }

  setSpeed(speed) {
    this.speed = speed;
    this.sound.playbackRate = speed;
    this.#restart();
  }

  #restart() {
    this.from = this.times().seconds(this.store.frame);
    this.began = performance.now();
    this.last = this.store.frame;
  }

  async #startSound() {
    if (!this.sound.src) this.sound.src = this.api.mediaUrl;
    this.sound.currentTime = this.from;
    this.sound.playbackRate = this.speed;
    try {
      await this.sound.play();
      this.hasSound = true;
      this.#restart();
    } catch {
      this.hasSound = false; // the browser has no decoder for it: play without sound
    }
  }

  #tick() {
    const { store, sound } = this;
    if (!store.isPlaying) return;
    if (store.frame !== this.last) { // someone has gone elsewhere meanwhile
      this.#restart();
      if (this.hasSound) sound.currentTime = this.from;
    }
    const seconds = this.hasSound && !sound.ended ? sound.currentTime : this.from + ((performance.now() - this.began) / 1000) * this.speed;
    sound.muted = store.video.sounds.some(({ where }) => isWithin(parseSpan(where), seconds));
    this.last = Math.max(this.last, this.times().frameAt(seconds));
    store.set({ frame: this.last });
    if (this.last >= store.video.lastFrame) this.pause();
    else requestAnimationFrame(() => this.#tick());
  }
}

const isWithin = ({ start, end }, seconds) => (start === null || seconds >= start) && (end === null || seconds < end);
