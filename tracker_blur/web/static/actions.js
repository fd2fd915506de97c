// What a user can do with people and boxes, whether by key, button or pointer.

import { contains } from "./boxes.js";
import { byId, setText } from "./dom.js";
import { announce, ask, toast } from "./messages.js";
import { PlaceDecisions } from "./place_decisions.js";
import { texts } from "./texts.js";

/** Turns what users ask for into edits, and keeps the selection sensible. */
export class Actions {
  constructor({ api, session, store, boxes }) {
    Object.assign(this, { api, session, store, boxes });
    this.places = new PlaceDecisions({ api, session, store });
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

  /** Begin to select all whose boxes lie in a part of the picture, such as the letters of a sign. */
  startSelecting() {
    this.store.set({ tool: "several", view: "boxes" });
  }

  /** Select everyone whose box, in the picture that is shown, has its middle within another one; with `isMore`, too. */
  selectWithin(area, { isMore = false } = {}) {
    const { store } = this;
    const within = this.boxes.at(store.shown).filter(({ box: [left, top, right, bottom] }) => contains(area, [(left + right) / 2, (top + bottom) / 2]));
    const people = new Set([...(isMore ? store.people : []), ...within.map(({ track }) => store.video.personByTrack.get(track)?.id).filter((id) => id !== undefined)]);
    store.set({ tool: "select", people: [...people], track: null, zone: null, doubt: null });
    if (people.size) announce(texts.people.selected(people.size));
    else toast(texts.people.noOneWithin);
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
      await this.places.decide(doubt, isHidden, why);
      return;
    }
    if (!store.people.length) {
      toast(texts.people.chooseFirst);
      return;
    }
    const tracks = store.people.flatMap((id) => store.video.personById.get(id).tracks); // those that were shown, even if others join them meanwhile
    await this.setHidden(tracks, isHidden, why);
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
    const { session, store } = this;
    const before = session.made;
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
    if (session.made > before) session.say(texts.person.endsSet(store.video.nameOfTrack(track.id)), { steps: session.made - before });
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
    const said = ({ frames }) => texts.person.reshaped(store.video.nameOfTrack(track), frames);
    if (store.isWhole && isMoved) {
      const { first, last } = store.video.trackById.get(track);
      return this.session.edit({ op: "move", track, first, last, dx: box[0] - before[0], dy: box[1] - before[1] }, { said });
    }
    const answer = await this.session.edit({ op: "reshape", track, frame, box }, { said });
    if (answer) this.boxes.put(frame, track, box);
    return answer;
  }

  /** Follow the selected part from this frame on, and back, as the detector and tracker see it. */
  async follow(direction = "both") {
    const { store } = this;
    const track = this.#activeTrack();
    if (!track) return;
    if (!(await this.places.followTrack(track, Math.max(track.first, Math.min(track.last, store.frame)), direction))) return;
    const now = store.video.trackById.get(track.id);
    if (now) this.session.say(texts.person.followed(store.video.nameOfTrack(track.id), now.frames - track.frames));
  }

  /** A box has been drawn: it is someone new, or continues with the part that is selected. */
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
