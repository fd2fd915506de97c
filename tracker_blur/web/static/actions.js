// What a user can do with people and boxes, whether by key, button or pointer.

import { byId, setText } from "./dom.js";
import { announce, ask, toast } from "./messages.js";
import { texts } from "./texts.js";

/** Places where nobody is hidden though someone may be there: there is nothing to keep. */
export const OPEN_KINDS = new Set(["track_end", "gap"]);

/** Places where someone can be seen though the person is marked as hidden. */
const SHOWN_KINDS = new Set(["uncovered", "zone_shows", "limit_shows", "verify"]);
const MOST_BOXES = 600; // of one request

/** Turns wishes into edits, and keeps the selection sensible. */
export class Actions {
  constructor({ api, session, store, boxes }) {
    Object.assign(this, { api, session, store, boxes });
  }

  /** Choose one person; with `isMore`, add or remove one of several. */
  selectPerson(id, { isMore = false, isJump = false } = {}) {
    const { store } = this;
    const has = store.people.includes(id);
    const people = isMore ? (has ? store.people.filter((one) => one !== id) : [...store.people, id]) : [id];
    const person = people.length === 1 ? store.video.personById.get(people[0]) : null;
    const track = person ? store.video.trackAt(person, store.frame) : null;
    store.set({ people, track: track?.id ?? null, zone: null, doubt: null });
    if (isJump && track && (store.frame < track.first || store.frame > track.last)) this.go(track.first);
  }

  /** Choose the person whose box this is, and the part that the box belongs to. */
  selectTrack(id, { isMore = false } = {}) {
    const person = this.store.video.personByTrack.get(id);
    if (!person) return;
    this.selectPerson(person.id, { isMore });
    if (this.store.people.length === 1) this.store.set({ track: id });
  }

  selectZone(number) {
    this.store.set({ zone: number, people: [], track: null, doubt: null, pane: "zones" });
  }

  deselect() {
    this.store.set({ people: [], track: null, zone: null, doubt: null });
  }

  /** Choose the next box of this frame, in reading order. */
  selectNextBox() {
    const { store } = this;
    const faces = [...this.boxes.at(store.frame)].sort((one, other) => one.box[0] - other.box[0]);
    if (!faces.length) return;
    const at = faces.findIndex(({ track }) => track === store.track);
    const { track } = faces[(at + 1) % faces.length];
    this.selectTrack(track);
    announce(texts.review.selected(store.video.nameOfTrack(track)));
  }

  go(frame) {
    this.store.set({ frame: this.store.video.clamp(frame) });
  }

  /** The same as `decide`, with a reason for the journal and the report. */
  async decideWithReason(isHidden) {
    setText(byId("reason-decide"), isHidden ? texts.people.hide : texts.people.keep);
    byId("reason").value = "";
    if ((await ask(byId("reason-dialog"))) === "decide") await this.decide(isHidden, byId("reason").value.trim());
  }

  /** Hide or keep who is selected, or decide about the place that is looked at. */
  async decide(isHidden, why = "") {
    const { store, session } = this;
    const doubt = store.doubts.find(({ id }) => id === store.doubt);
    if (doubt) {
      await this.#decideDoubt(doubt, isHidden, why);
      return;
    }
    if (!store.people.length) {
      toast(texts.people.chooseFirst);
      return;
    }
    const tracks = store.people.flatMap((id) => store.video.personById.get(id).tracks); // those that were shown, whoever joins them meanwhile
    await this.setHidden(tracks, isHidden, why);
  }

  /** Decide about a place. It counts as seen only if that has changed something, or if it may stay as it is. */
  async #decideDoubt(doubt, isHidden, why) {
    const { session, store } = this;
    const before = session.made;
    const known = new Set(store.video.trackById.keys());
    const isDone = isHidden ? await this.#hideDoubt(doubt, why) : await this.#keepDoubt(doubt, why);
    if (!isDone || !(await session.edit({ op: "seen", doubt: doubt.id }))) return;
    const isThere = (id) => store.video.trackById.has(id);
    const drawn = [...store.video.trackById.keys()].filter((id) => !known.has(id));
    const names = store.video.namesOfTracks(isThere(doubt.track) ? [doubt.track] : drawn);
    const text = !names ? texts.doubts.leftOpen : isHidden ? texts.people.nowHidden(names) : texts.people.nowKept(names);
    session.say(text, { steps: session.made - before });
  }

  async #hideDoubt(doubt, why) {
    const { store, session } = this;
    const track = store.video.trackById.get(doubt.track);
    if (!track) return this.#hidePlace(doubt, why);
    if (!track.hidden) return (await session.edit({ op: "hide", tracks: [track.id] }, { why })) !== null;
    if (OPEN_KINDS.has(doubt.kind)) return this.#hideFurther(doubt, track);
    if (SHOWN_KINDS.has(doubt.kind)) return this.#hidePlace({ ...doubt, boxes: doubt.boxes?.length ? doubt.boxes : await this.#boxesOf(doubt) }, why);
    toast(texts.doubts.isHidden);
    return false;
  }

  async #keepDoubt(doubt, why) {
    if (OPEN_KINDS.has(doubt.kind)) {
      toast(texts.doubts.nothingToKeep);
      return false;
    }
    if (doubt.track === null) return true;
    return (await this.session.edit({ op: "keep", tracks: [doubt.track] }, { why })) !== null;
  }

  /** Hide where nobody is hidden yet, for as long as the face can be followed from there. */
  async #hidePlace(doubt, why) {
    const boxes = doubt.boxes?.length ? doubt.boxes : (doubt.box ? [[doubt.frame, ...doubt.box], [doubt.last, ...doubt.box]] : []);
    if (!boxes.length) {
      toast(texts.doubts.drawHere);
      return false;
    }
    const keyframes = Object.fromEntries(boxes.map(([frame, ...box]) => [frame, box.slice(0, 4)]));
    const drawn = await this.session.edit({ op: "draw", track: null, class: "face", keyframes }, { why });
    if (!drawn) return false;
    if (doubt.track === null) await this.#followEnds(drawn.track); // else it is known where the person is
    return true;
  }

  /** Follow what was just drawn on from its last picture, and back from its first one, as far as there are others. */
  async #followEnds(id) {
    const { video } = this.store;
    const track = video.trackById.get(id);
    if (!track || video.is_image) return;
    const isCut = (frame) => video.cuts.includes(frame);
    if (track.last < video.lastFrame && !isCut(track.last + 1)) await this.#followTrack(track, track.last, "forward");
    if (track.first > 0 && !isCut(track.first)) await this.#followTrack(track, track.first, "back");
  }

  /** The boxes of a track within a place, as key frames; drawn ones are hidden whatever areas and limits say. */
  async #boxesOf({ track, frame, last, box }) {
    const answer = await this.api.boxes(frame, Math.min(last, frame + MOST_BOXES - 1));
    const rows = answer.boxes.filter(([, id]) => id === track).map(([at, , ...place]) => [at, ...place.slice(0, 4)]);
    return rows.length || !box ? rows : [[frame, ...box], [last, ...box]];
  }

  /** Hide on where the box of a track ends, or within a gap of it. */
  async #hideFurther(doubt, track) {
    const before = track.frames;
    const direction = doubt.frame < track.first ? "back" : "forward";
    const isBefore = (frame) => frame < doubt.frame;
    const from = direction === "back" ? track.first : (track.spans.findLast(([first]) => isBefore(first))?.[1] ?? track.last);
    await this.#followTrack(track, Math.min(from, Math.max(track.first, doubt.frame - 1)), direction);
    if ((this.store.video.trackById.get(track.id)?.frames ?? before) > before) return true;
    toast(texts.doubts.drawHere);
    return false;
  }

  /** Hide some parts of people, or keep them visible, and say whose they are. */
  async setHidden(tracks, isHidden, why = "") {
    const { store, session } = this;
    const names = store.video.namesOfTracks(tracks);
    const { nowHidden, nowKept, hiddenAlready, keptAlready } = texts.people;
    const answer = await session.edit({ op: isHidden ? "hide" : "keep", tracks }, { why, said: (isHidden ? nowHidden : nowKept)(names) });
    if (answer && !answer.changed) session.say((isHidden ? hiddenAlready : keptAlready)(names), { steps: 0 });
  }

  /** Make one person of those who are selected, or of two that are given. */
  async merge(people = this.store.people) {
    if (people.length < 2) {
      toast(texts.people.chooseTwo);
      return;
    }
    const tracks = people.flatMap((id) => this.store.video.personById.get(id)?.tracks ?? []); // those that were shown
    const said = texts.people.merged(this.store.video.namesOfTracks(tracks));
    if (await this.session.edit({ op: "merge_people", people, tracks }, { said })) {
      const still = people.find((id) => this.store.video.personById.has(id));
      if (still !== undefined) this.selectPerson(still);
    }
  }

  /** From this frame on, it is someone else. */
  async split() {
    const { store, session } = this;
    const person = this.#onlyPerson();
    if (!person) return;
    if (store.frame <= person.first || store.frame > person.last) {
      toast(texts.people.splitWhere);
      return;
    }
    await session.edit({ op: "split_person", person: person.id, frame: store.frame }, { said: texts.people.splitDone(store.video.nameOf(person)) });
  }

  /** Take one part of a person out, to be someone of its own. */
  async splitTrack(track) {
    const { store, session } = this;
    if (store.frame <= track.first || store.frame > track.last) toast(texts.people.splitWhere);
    else await session.edit({ op: "split", track: track.id, frame: store.frame }, { said: texts.people.splitDone(store.video.nameOfTrack(track.id)) });
  }

  async drop() {
    const { store, session } = this;
    if (store.zone !== null) {
      await session.edit({ op: "drop_zone", number: store.zone }, { said: texts.zones.dropped });
      return;
    }
    const tracks = store.track !== null && store.people.length === 1 ? [store.track] : store.people.flatMap((id) => store.video.personById.get(id)?.tracks ?? []);
    if (!tracks.length) {
      toast(texts.people.chooseFirst);
      return;
    }
    await this.dropTracks(tracks);
  }

  dropTracks(tracks) {
    return this.session.edit({ op: "drop", tracks }, { said: texts.person.dropped(this.store.video.namesOfTracks(tracks)) });
  }

  /** Let the part that is selected begin (`isFirst`) or end at this frame. */
  async setEnd(isFirst) {
    const { store } = this;
    const track = this.#activeTrack();
    if (!track) return;
    await this.setEnds(track, isFirst ? store.frame : track.first, isFirst ? track.last : store.frame);
  }

  async setEnds(track, first, last) {
    const { session } = this;
    if (first > last) {
      toast(texts.person.endsWrong);
      return;
    }
    for (const frame of [first, last]) {
      if (frame < track.first || frame > track.last) {
        if (!(await session.edit({ op: "extend", track: track.id, frame }))) return;
      }
    }
    const now = this.store.video.trackById.get(track.id);
    if (now && (first > now.first || last < now.last)) await session.edit({ op: "ends", track: track.id, first, last });
    announce(texts.person.endsSet);
  }

  /** Begin to draw: for the part that is selected if it has no box here, else, or if asked again, for someone new. */
  startDrawing() {
    const { store, boxes } = this;
    const isAgain = store.tool === "draw";
    const hasBox = boxes.at(store.frame).some(({ track }) => track === store.track);
    const drawFor = store.track === null || hasBox || (isAgain && store.drawFor !== null) ? null : store.track;
    store.set({ tool: "draw", drawFor, view: "boxes" });
  }

  /** Change the box of one frame; or, if all of a part is moved, move it. */
  async reshape(track, frame, box) {
    const { store } = this;
    const before = this.boxes.at(frame).find((face) => face.track === track)?.box;
    const isMoved = before && Math.abs(box[2] - box[0] - before[2] + before[0]) < 0.5 && Math.abs(box[3] - box[1] - before[3] + before[1]) < 0.5;
    if (store.isWhole && isMoved) {
      const { first, last } = store.video.trackById.get(track);
      const moved = await this.session.edit({ op: "move", track, first, last, dx: box[0] - before[0], dy: box[1] - before[1] });
      if (moved) toast(texts.person.reshaped(moved.frames));
      return moved;
    }
    const answer = await this.session.edit({ op: "reshape", track, frame, box });
    if (answer) {
      this.boxes.put(frame, track, box);
      toast(texts.person.reshaped(answer.frames));
    }
    return answer;
  }

  /** Follow the selected part from this frame on, and back, as the detector and tracker see it. */
  async follow(direction = "both") {
    const { store } = this;
    const track = this.#activeTrack();
    if (!track) return;
    if (!(await this.#followTrack(track, Math.max(track.first, Math.min(track.last, store.frame)), direction))) return;
    const now = store.video.trackById.get(track.id);
    if (now) toast(texts.person.followed(now.frames - track.frames));
  }

  async #followTrack(track, frame, direction) {
    const close = toast(texts.person.following, { kind: "busy" });
    const answer = await this.session.edit({ op: "follow", track: track.id, frame, direction });
    close();
    return answer;
  }

  /** A box has been drawn: it is someone new, or goes on with the part that is selected. */
  async drawBox(box) {
    const { store, session } = this;
    const track = store.video.trackById.get(store.drawFor);
    const { frame, pane } = store;
    let answer;
    if (track && frame >= track.first && frame <= track.last && this.boxes.at(frame).some((face) => face.track === track.id)) {
      answer = await this.reshape(track.id, frame, box);
    } else {
      const keyframes = { ...(track ? await this.#endBox(track, frame) : {}), [frame]: box };
      const known = new Set(store.video.trackById.keys());
      answer = await session.edit({ op: "draw", track: track?.id ?? null, class: track?.class ?? "face", keyframes });
      const drawn = answer?.track ?? track?.id ?? [...store.video.trackById.keys()].find((id) => !known.has(id));
      if (answer) this.#selectDrawn(drawn, frame, box, pane);
    }
    if (answer) store.set({ tool: "select" });
  }

  #selectDrawn(id, frame, box, pane) {
    if (id === undefined || !this.store.video.trackById.has(id)) return;
    this.boxes.put(frame, id, box);
    const wasNew = this.store.drawFor === null;
    this.selectTrack(id);
    if (this.store.pane === pane) this.store.set({ pane: "person" }); // unless someone has gone elsewhere meanwhile
    const { is_image: isImage } = this.store.video;
    const name = this.store.video.nameOfTrack(id);
    const isInArea = this.store.video.zones.some(({ rule }) => rule === "ignore");
    const text = [isImage ? texts.person.drawnPhoto(name) : texts.person.drawn(name), isInArea ? texts.person.drawnInArea : ""].join(" ").trim();
    if (wasNew) this.session.say(text, { actions: isImage ? [] : [{ text: texts.person.follow, run: () => this.follow() }] });
  }

  /** The box nearest to a frame outside of a track, as a key frame; none for a gap within. */
  async #endBox(track, frame) {
    const near = frame < track.first ? track.first : track.last;
    if (frame >= track.first && frame <= track.last) return {};
    const { boxes } = await this.api.boxes(near, near);
    const row = boxes.find(([, id]) => id === track.id);
    return row ? { [near]: row.slice(2, 6) } : {};
  }

  #onlyPerson() {
    const { store } = this;
    if (store.people.length === 1) return store.video.personById.get(store.people[0]);
    toast(texts.people.chooseOne);
    return null;
  }

  #activeTrack() {
    const track = this.store.video.trackById.get(this.store.track);
    if (!track) toast(texts.people.chooseOne);
    return track ?? null;
  }
}
