// Decisions about the places to look at: what hiding and keeping mean there.

import { toast } from "./messages.js";
import { texts } from "./texts.js";

/** Places where no one is hidden though someone may be there: there is nothing to keep. */
export const OPEN_KINDS = new Set(["track_end", "gap"]);

/** Places where someone can be seen though the person is marked as hidden. */
const SHOWN_KINDS = new Set(["uncovered", "zone_shows", "limit_shows", "verify"]);
const MOST_BOXES = 600; // of one request

/** Turns a decision about a place into edits. */
export class PlaceDecisions {
  constructor({ api, session, store }) {
    Object.assign(this, { api, session, store });
  }

  /** Decide about a place. It counts as seen only if that has changed something, or if it may stay as it is. */
  async decide(doubt, isHidden, why) {
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

  /** Hide where no one is hidden yet, for as long as the face can be followed from there. */
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
    else await this.#joinPeople(doubt.track, drawn.track);
    return true;
  }

  /** What was drawn over someone is theirs: it makes no second person. */
  async #joinPeople(...tracks) {
    const { video } = this.store;
    const people = tracks.map((id) => video.personByTrack.get(id)).filter(Boolean);
    if (people.length < 2 || people[0].id === people[1].id) return;
    const edit = { op: "merge_people", people: people.map(({ id }) => id), tracks: people.flatMap((person) => person.tracks) };
    await this.session.edit(edit);
  }

  /** Follow what was just drawn on from its last picture, and back from its first one, as far as there are others. */
  async #followEnds(id) {
    const { video } = this.store;
    const track = video.trackById.get(id);
    if (!track || video.is_image) return;
    const isCut = (frame) => video.cuts.includes(frame);
    if (track.last < video.lastFrame && !isCut(track.last + 1)) await this.followTrack(track, track.last, "forward", { isTry: true });
    if (track.first > 0 && !isCut(track.first)) await this.followTrack(track, track.first, "back", { isTry: true });
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
    await this.followTrack(track, Math.min(from, Math.max(track.first, doubt.frame - 1)), direction);
    if ((this.store.video.trackById.get(track.id)?.frames ?? before) > before) return true;
    toast(texts.doubts.drawHere);
    return false;
  }

  /** Follow a part from one of its pictures on, as the detector and tracker see it. */
  async followTrack(track, frame, direction, options = {}) {
    const close = toast(texts.person.following, { kind: "busy" });
    const answer = await this.session.edit({ op: "follow", track: track.id, frame, direction }, options);
    close();
    return answer;
  }
}
