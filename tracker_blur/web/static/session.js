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
    this.own = new Set(); // versions that edits of this window made: the server will tell of them, too
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

  /**
   * Make an edit.
   *
   * @param {object} edit the operation and its fields
   * @param {{said?: string, why?: string}} options what to say when it is done; the reason for the journal
   * @returns {Promise<object|null>} the server's answer; null after an error, which has been shown
   */
  edit(edit, { said = "", why = "" } = {}) {
    const send = () => {
      const guess = this.store.video.guess(edit);
      if (guess) this.store.set({ video: guess });
      return this.api.edit(edit, why, this.store.video.version);
    };
    return this.#enqueue(send, said);
  }

  undo() {
    const what = this.store.video.undoText();
    return this.#enqueue(() => this.api.undo(this.store.video.version), texts.review.undone(what));
  }

  redo() {
    return this.#enqueue(() => this.api.redo(this.store.video.version), texts.review.redone);
  }

  /** Something is new: an edit made in another window, or people who were recognized meanwhile. */
  async heard(version = null) {
    await this.queue;
    if (this.own.delete(version)) return;
    const before = this.store.video?.version;
    try {
      await this.refresh();
      if (before !== this.store.video.version) announce(texts.review.changedElsewhere);
    } catch (error) {
      showError(error);
    }
  }

  #enqueue(request, said) {
    const done = this.queue.then(async () => {
      const before = this.store.video;
      try {
        const answer = await request();
        this.own.add(answer.version);
        await this.refresh();
        if (said) toast(said);
        return answer;
      } catch (error) {
        showError(error);
        await this.refresh().catch(() => this.store.set({ video: before })); // what was shown ahead is taken back; the error has been shown
        return null;
      }
    });
    this.queue = done;
    return done;
  }
}
