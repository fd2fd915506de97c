// Several photos that are looked at one after the other.

import { api } from "./api.js";
import { byId, setText } from "./dom.js";
import { attempt } from "./messages.js";
import { texts } from "./texts.js";

const KEY = "trackblur-photos";

/** Remember which photos are looked at, and open the first one. Kept for this window only. */
export async function openPhotos(paths, settings) {
  await open(paths, 0, settings);
}

async function open(paths, at, settings) {
  const answer = await attempt(() => api.openReview(paths[at], settings));
  if (!answer?.id) return;
  sessionStorage.setItem(KEY, JSON.stringify({ paths, at, settings, id: answer.id }));
  location.href = `/review/${encodeURIComponent(answer.id)}`;
}

/** The buttons to the photo before and the next one; hidden if there is one only. */
export class Photos {
  constructor(id) {
    const { paths = [], at = 0, settings = {}, id: known } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    this.paths = known === id ? paths : [];
    this.at = at;
    this.settings = settings; // what is hidden in all of them, and how
    byId("photos").hidden = this.paths.length < 2;
    setText(byId("photos-text"), texts.review.photo(at + 1, this.paths.length));
    byId("photo-back").addEventListener("click", () => this.step(-1));
    byId("photo-on").addEventListener("click", () => this.step(1));
    byId("photo-back").disabled = at === 0;
    byId("photo-on").disabled = at >= this.paths.length - 1;
  }

  async step(by) {
    if (this.paths[this.at + by] !== undefined) await open(this.paths, this.at + by, this.settings);
  }
}
