// Several photos that are looked at one after the other.

import { api } from "./api.js";
import { byId, setText } from "./dom.js";
import { showError, toast } from "./messages.js";
import { texts } from "./texts.js";

const KEY = "trackblur-photos";

/** Remember which photos are looked at, and open the first one that can be read. Kept for this window only. */
export async function openPhotos(paths, settings) {
  await open(paths, 0, 1, settings);
}

/** Open the photo at a place, or else the next one in a direction that can be read; it then says which were skipped. */
async function open(paths, from, by, settings) {
  const skipped = [];
  for (let at = from; paths[at] !== undefined; at += by) {
    try {
      const { id } = await api.openReview(paths[at], settings);
      sessionStorage.setItem(KEY, JSON.stringify({ paths, at, settings, id, skipped }));
      location.href = `/review/${encodeURIComponent(id)}`;
      return;
    } catch (error) {
      if (!error.status) {
        showError(error);
        return;
      }
      skipped.push(error.message);
    }
  }
  toast([texts.review.noPhoto, ...skipped].join(" "), { kind: "error", stays: true });
}

/** The buttons to the photo before and the next one; hidden if there is one only. */
export class Photos {
  constructor(id) {
    const { paths = [], at = 0, settings = {}, id: known, skipped = [] } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    this.id = id;
    this.paths = known === id ? paths : [];
    this.at = at;
    this.settings = settings; // what is hidden in all of them, and how
    byId("photos").hidden = this.paths.length < 2;
    setText(byId("photos-text"), texts.review.photo(at + 1, this.paths.length));
    byId("photo-back").addEventListener("click", () => this.step(-1));
    byId("photo-on").addEventListener("click", () => this.step(1));
    byId("photo-back").disabled = at === 0;
    byId("photo-on").disabled = at >= this.paths.length - 1;
    if (this.paths.length && skipped.length) this.#tellSkipped(skipped);
  }

  async step(by) {
    if (this.paths[this.at + by] !== undefined) await open(this.paths, this.at + by, by, this.settings);
  }

  /** Say once which photos before this one cannot be read. */
  #tellSkipped(skipped) {
    toast(texts.review.photosSkipped(skipped.join(" ")), { kind: "error", stays: true });
    const { paths, at, settings } = this;
    sessionStorage.setItem(KEY, JSON.stringify({ paths, at, settings, id: this.id }));
  }
}
