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
    this.made = 0; // edits of this window that have changed something
    this.unsay = () => {}; // removes the message about the last edit
    this.own = new Set(); // versions that edits of this window made: the server will report them, too
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
   * @param {{said?: string|function, why?: string, isTry?: boolean}} options what to say when it is done, or a function that
   *   returns it; the reason for the journal; with `isTry`, nothing is shown if the server refuses it
   * @returns {Promise<object|null>} the server's answer, with `changed`; null after an error, which has been shown
   */
  edit(edit, { said = "", why = "", isTry = false } = {}) {
    const send = () => {
      const guess = this.store.video.guess(edit);
      if (guess) this.store.set({ video: guess });
      return this.api.edit(edit, why, this.store.video.version);
    };
    return this.#enqueue(send, (answer) => {
      if (!answer.changed) this.say(texts.review.unchanged, { steps: 0 });
      else if (said) this.say(typeof said === "function" ? said(answer) : said);
    }, isTry);
  }

  /**
   * Say what an edit has done, with a button that takes it back. The next edit removes the message.
   *
   * @param {string} text
   * @param {{steps?: number, actions?: object[]}} options how many edits it was; what else can be done now
   */
  say(text, { steps = 1, actions = [] } = {}) {
    this.unsay();
    const undo = { text: texts.review.undoIt, run: () => this.undo(steps) };
    this.unsay = toast(text, { actions: steps ? [...actions, undo] : actions });
  }

  /** Take back the last edit, or the last ones. */
  async undo(steps = 1) {
    for (let step = 1; step <= steps; step += 1) {
      const what = this.store.video.undoText();
      const report = () => step === steps && this.say(texts.review.undone(what), { steps: 0 });
      if (!(await this.#enqueue(() => this.api.undo(this.store.video.version), report))) return;
    }
  }

  redo() {
    return this.#enqueue(() => this.api.redo(this.store.video.version), () => this.say(texts.review.redone(this.store.video.undoText())));
  }

  /** Something is new: an edit made in another window, or people who were recognized meanwhile. */
  async heard(version = null) {
    await this.queue;
    if (this.own.delete(version)) return;
    const before = this.store.video?.version;
    try {
      await this.refresh();
      if (before === this.store.video.version) return;
      this.unsay(); // what it would take back is not the last edit any more
      announce(texts.review.changedElsewhere);
    } catch (error) {
      showError(error);
    }
  }

  #enqueue(request, report, isTry = false) {
    const done = this.queue.then(async () => {
      const before = this.store.video;
      this.unsay();
      try {
        const answer = await request();
        if (answer.version !== before.version) this.own.add(answer.version);
        if (answer.changed) this.made += 1;
        await this.refresh();
        report(answer);
        return answer;
      } catch (error) {
        if (error.name === "ApiError") error.message = before.named(error.message);
        if (!isTry || error.status !== 400) showError(error);
        await this.refresh().catch(() => this.store.set({ video: before })); // what was shown ahead is taken back; the error has been shown
        return null;
      }
    });
    this.queue = done;
    return done;
  }
}
