// Edits: sends them, and fetches what they made of the video.

import { announce, showError, toast } from "./messages.js";
import { texts } from "./texts.js";
import { Video } from "./video.js";

/** Keeps the store in step with the server. All edits of the page pass through here, one after the other. */
export class Session {
  constructor(api, store) {
    this.api = api;
    this.store = store;
    this.queue = Promise.resolve();
  }

  /** Fetch the video and what is doubtful in it. */
  async refresh() {
    const [state, { doubts }] = await Promise.all([this.api.state(), this.api.doubts()]);
    const video = new Video(state, this.store.video);
    const { people, track, zone, sound, doubt } = this.store;
    this.store.set({
      video,
      doubts,
      people: people.filter((id) => video.personById.has(id)),
      track: track !== null && video.trackById.has(track) ? track : null,
      zone: video.zones.some(({ number }) => number === zone) ? zone : null,
      sound: video.sounds.some(({ number }) => number === sound) ? sound : null,
      doubt: doubts.some(({ id }) => id === doubt) ? doubt : null,
    });
  }

  /** Make an edit. Returns the server's answer, or null after an error, which has been shown. */
  edit(edit, said = null) {
    return this.#enqueue(() => this.api.edit(edit), said);
  }

  undo() {
    const text = this.store.video.undo_text;
    return this.#enqueue(this.api.undo, texts.review.undone(text));
  }

  redo() {
    return this.#enqueue(this.api.redo, texts.review.redone);
  }

  /** Someone else, in another window, has made an edit. */
  async heard(version) {
    await this.queue;
    if (version === this.store.video?.version) return;
    try {
      await this.refresh();
      announce(texts.review.changedElsewhere);
    } catch (error) {
      showError(error);
    }
  }

  #enqueue(request, said) {
    const done = this.queue.then(async () => {
      try {
        const answer = await request();
        await this.refresh();
        if (said) toast(said);
        return answer;
      } catch (error) {
        showError(error);
        return null;
      }
    });
    this.queue = done;
    return done;
  }
}
