// The video as the server last sent it: tracks, people, zones, and how they belong together.

import { texts } from "./texts.js";

/** Everything that GET /api/reviews/ID returns, with look-ups. Immutable: each edit brings a new one, made from the previous one. */
export class Video {
  constructor(state, before = null) {
    Object.assign(this, state);
    [this.width, this.height] = state.size;
    this.lastFrame = Math.max(0, state.frames - 1);
    this.trackById = new Map(state.tracks.map((track) => [track.id, track]));
    this.personById = new Map(state.people.map((person) => [person.id, person]));
    this.personByTrack = new Map();
    for (const person of state.people) for (const track of person.tracks) this.personByTrack.set(track, person);
    this.places = new Map(before?.places); // a card stays where it is; who is new comes last
    for (const { id } of [...state.people].sort(byImportance)) {
      if (!this.places.has(id)) this.places.set(id, this.places.size);
    }
  }

  /** How a person is called: by a given name, or by class and number. */
  nameOf(person) {
    return person.name || texts.classes.numbered(person.class, person.number);
  }

  nameOfTrack(id) {
    const person = this.personByTrack.get(id);
    return person ? this.nameOf(person) : texts.classes.numbered("face", id);
  }

  /** The names of the people that these parts belong to; says so where someone has other parts, too. */
  namesOfTracks(ids) {
    const people = [...new Set(ids.map((id) => this.personByTrack.get(id)).filter(Boolean))];
    return people
      .map((person) => {
        const count = person.tracks.filter((id) => ids.includes(id)).length;
        const name = this.nameOf(person);
        return count === person.tracks.length ? name : texts.people.partsOf(name, count, person.tracks.length);
      })
      .join(", ");
  }

  /** What the server says about tracks and frames, in the words of this page. */
  named(message) {
    return message
      .replace(/\btrack (\d+)\b/g, (text, id) => (this.trackById.has(Number(id)) ? this.nameOfTrack(Number(id)) : text))
      .replace(/\bframe (\d+)\b/g, (_, frame) => texts.review.picture(Number(frame) + 1));
  }

  /** What an edit that hides or keeps will make of the video, to be shown until the server has answered; else null. */
  guess(edit) {
    const hidden = { hide: true, hide_people: true, keep: false, keep_people: false }[edit.op];
    if (hidden === undefined) return null;
    const chosen = new Set(edit.tracks ?? edit.people.flatMap((id) => this.personById.get(id)?.tracks ?? []));
    const tracks = this.tracks.map((track) => (chosen.has(track.id) ? { ...track, hidden } : track));
    const isHidden = new Map(tracks.map((track) => [track.id, track.hidden]));
    const people = this.people.map((person) => {
      const states = new Set(person.tracks.map((id) => isHidden.get(id)));
      return { ...person, hidden: states.size === 1 ? [...states][0] : null };
    });
    return new Video({ ...this, tracks, people }, this);
  }

  /** An edit in words, with names in place of numbers as far as these still exist. */
  describe(edit) {
    const people = (edit.people ?? [edit.person]).map((id) => this.personById.get(id)).filter(Boolean).map((person) => this.nameOf(person));
    const tracks = (edit.tracks ?? [edit.track]).filter((id) => this.personByTrack.has(id)).map((id) => this.nameOfTrack(id));
    const who = [...new Set(people.length ? people : tracks)].join(", ") || texts.journal.someone;
    return texts.journal.ops[edit.op]?.({ ...edit, who }) ?? edit.op;
  }

  /** What undo takes back, in words; empty if that is not known. */
  undoText() {
    return this.undo_edit ? this.describe(this.undo_edit) : "";
  }

  /** Why a person should be looked at. */
  reasonsOf(person) {
    return person.reasons.map((reason) => texts.people.reasons[reason] ?? texts.doubts.kinds[reason]?.text ?? reason);
  }

  /** Whether a part is hidden in a picture, whatever it is marked as: areas and limits may show it. */
  isHiddenAt(id, frame) {
    const track = this.trackById.get(id);
    return !track || (track.hidden && !track.shown.some(([first, last]) => first <= frame && frame <= last));
  }

  /** What is true of a part in the result: the name of its text. */
  stateOfTrack({ hidden, shown, frames }) {
    if (!hidden) return "isKept";
    const count = shown.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    return count === 0 ? "isHidden" : count >= frames ? "isShown" : "partlyShown";
  }

  tracksOf(person) {
    return person.tracks.map((id) => this.trackById.get(id)).filter(Boolean).sort((one, other) => one.first - other.first);
  }

  /** The part of a person that is there in a frame, or the nearest to it. */
  trackAt(person, frame) {
    const away = (track) => Math.max(track.first - frame, frame - track.last, 0);
    return this.tracksOf(person).reduce((best, track) => (best && away(best) <= away(track) ? best : track), null);
  }

  /** People in the order of the wall, by class: faces first, and of those the ones seen longest. */
  peopleByClass() {
    const groups = new Map();
    for (const person of [...this.people].sort((one, other) => this.places.get(one.id) - this.places.get(other.id))) {
      if (!groups.has(person.class)) groups.set(person.class, []);
      groups.get(person.class).push(person);
    }
    return [...groups].sort(([one], [other]) => (other === "face") - (one === "face"));
  }

  /** Who can be seen in the result, wholly or partly: kept visible, or shown by areas or limits. */
  shownPeople() {
    return this.peopleByClass().flatMap(([, people]) => people).filter(({ hidden, visible }) => hidden !== true || visible);
  }

  /** Cut frames around a frame: the last one before and the first one after it. */
  cutsAround(frame) {
    const before = this.cuts.findLast((cut) => cut < frame) ?? 0;
    const after = this.cuts.find((cut) => cut > frame) ?? this.lastFrame;
    return [before, after];
  }

  clamp(frame) {
    return Math.max(0, Math.min(this.lastFrame, Math.round(frame)));
  }
}

const byImportance = (one, other) => other.frames - one.frames || one.id - other.id;
