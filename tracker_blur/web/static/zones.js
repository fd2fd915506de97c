// Areas of the picture that are always, or never, hidden: making and changing them.

import { texts } from "./texts.js";
import { formatZone, isActive, moving, parseZone, still, withKey, withPoints } from "./zone_shape.js";

/** Edits of zones. They are kept in percent, so that they fit whatever the size of the picture. */
export class Zones {
  constructor({ session, store, times }) {
    Object.assign(this, { session, store, times });
  }

  /** The parsed zone of a number. */
  shape(number) {
    return parseZone(this.#zone(number).where);
  }

  isActiveNow(number) {
    return isActive(this.shape(number), this.#now());
  }

  /** Add one with these corners, in pixels, for all of the video. */
  async add(points) {
    const { width, height } = this.store.video;
    const scaled = points.map(([x, y]) => [(x * 100) / width, (y * 100) / height]);
    const where = formatZone({ start: null, end: null, isPercent: true, keys: [{ at: 0, points: scaled }] });
    const known = new Set(this.store.video.zones.map(({ number }) => number));
    const before = this.store.video;
    const rule = this.store.zoneRule;
    const said = () => [(before.is_image ? texts.zones.addedPhoto : texts.zones.added)(texts.zones[rule]), rule === "ignore" ? this.#shownSince(before) : ""].join(" ").trim();
    const answer = await this.session.edit({ op: "zone", number: null, rule, where }, { said });
    if (!answer) return;
    const number = answer.number ?? this.store.video.zones.find((zone) => !known.has(zone.number))?.number ?? null;
    this.store.set({ tool: "select", zone: number, people: [], track: null, pane: "zones" });
  }

  /** Whom an area has shown that was added: it says so at once, as it is a decision about them. */
  #shownSince(before) {
    const { video } = this.store;
    const shown = video.people.filter(({ id, visible }) => visible > (before.personById.get(id)?.visible ?? 0));
    return shown.length ? texts.zones.nowShown(shown.map((person) => video.nameOf(person)).join(", ")) : texts.zones.noOneShown;
  }

  /** Move it, at the current time, to these corners in pixels. */
  place(number, points) {
    const { width, height } = this.store.video;
    return this.#change(number, withPoints(this.shape(number), this.#now(), points, width, height));
  }

  setRule(number, rule) {
    return this.session.edit({ op: "zone", number, rule, where: this.#zone(number).where });
  }

  /** Set when it begins and ends, in seconds; null: with the video. */
  setSpan(number, start, end) {
    const shape = this.shape(number);
    const keys = shape.keys.length === 1 ? shape.keys : shape.keys.filter(({ at }) => (start === null || at >= start) && (end === null || at <= end));
    return this.#change(number, { ...shape, start, end, keys: keys.length ? keys : [shape.keys[0]] });
  }

  setMoving(number, isMoving) {
    const shape = this.shape(number);
    return this.#change(number, isMoving ? moving(shape, this.#now()) : still(shape, this.#now()));
  }

  dropKey(number, at) {
    const shape = this.shape(number);
    return this.#change(number, { ...shape, keys: shape.keys.filter((key) => key.at !== at) });
  }

  addKey(number) {
    const shape = this.shape(number);
    return this.#change(number, withKey(shape, this.#now(), still(shape, this.#now()).keys[0].points));
  }

  drop(number) {
    return this.session.edit({ op: "drop_zone", number }, { said: texts.zones.dropped });
  }

  #change(number, shape) {
    return this.session.edit({ op: "zone", number, rule: this.#zone(number).rule, where: formatZone(shape) });
  }

  #zone(number) {
    return this.store.video.zones.find((zone) => zone.number === number);
  }

  #now() {
    return this.times().seconds(this.store.frame);
  }
}
