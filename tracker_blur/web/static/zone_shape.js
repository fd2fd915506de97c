// Reads and writes where a zone is, as track files say it: "5s..9s=10%,20%,50%,40%". See docs/redaction.md.

import { parseClock } from "./format.js";

const MOMENT = 1e-3; // seconds: positions nearer than this are one

/**
 * Read a zone.
 *
 * @returns {{start: number|null, end: number|null, isPercent: boolean, keys: {at: number, points: number[][]}[]}}
 *   start and end in seconds, null: open. A rectangle has two points, upper left and lower right.
 */
export function parseZone(where) {
  if (!where.includes("=")) {
    const { points, isPercent } = parsePoints(where);
    return { start: null, end: null, isPercent, keys: [{ at: 0, points }] };
  }
  const parts = where.split("..").map((part) => part.split("="));
  const keys = [];
  let place = null;
  for (const [when, area] of parts) {
    if (area === undefined) continue; // a time without a place has the next one's
    place = parsePoints(area);
    if (when) keys.push({ at: parseClock(when), points: place.points });
  }
  const time = ([when]) => (when ? parseClock(when) : null);
  if (!keys.length) keys.push({ at: 0, points: place.points });
  return { start: time(parts[0]), end: time(parts.at(-1)), isPercent: place.isPercent, keys };
}

function parsePoints(text) {
  const isPercent = text.trim().endsWith("%");
  const numbers = text.split(",").map((number) => Number.parseFloat(number));
  const points = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) points.push([numbers[at], numbers[at + 1]]);
  return { points, isPercent };
}

/** Write a zone. */
export function formatZone({ start, end, isPercent, keys }) {
  const sorted = [...keys].sort((one, other) => one.at - other.at);
  const place = ({ points }) => points.flat().map((value) => number(value, isPercent ? 3 : 1) + (isPercent ? "%" : "")).join(",");
  if (sorted.length === 1) {
    if (start === null && end === null) return place(sorted[0]);
    return `${time(start)}..${time(end)}=${place(sorted[0])}`;
  }
  const parts = sorted.map((key) => `${time(key.at)}=${place(key)}`);
  if (start === null) parts.unshift("");
  else if (start < sorted[0].at - MOMENT) parts.unshift(time(start));
  if (end === null) parts.push(`=${place(sorted.at(-1))}`);
  else if (end > sorted.at(-1).at + MOMENT) parts.push(`${time(end)}=${place(sorted.at(-1))}`);
  return parts.join("..");
}

const number = (value, digits) => String(Number(value.toFixed(digits)));
const time = (seconds) => (seconds === null ? "" : `${number(seconds, 3)}s`);

/** Where a zone is at a time, in pixels of a frame; null where it is not. */
export function pointsAt(zone, seconds, width, height) {
  if (!isActive(zone, seconds)) return null;
  const [x, y] = zone.isPercent ? [width / 100, height / 100] : [1, 1];
  return interpolated(zone.keys, seconds).map((point) => [point[0] * x, point[1] * y]);
}

export const isActive = ({ start, end }, seconds) => (start === null || seconds >= start - MOMENT) && (end === null || seconds <= end + MOMENT);

function interpolated(keys, seconds) {
  const after = keys.findIndex(({ at }) => at >= seconds);
  if (after === 0) return keys[0].points;
  if (after < 0) return keys.at(-1).points;
  const [one, other] = [keys[after - 1], keys[after]];
  const share = (seconds - one.at) / (other.at - one.at || 1);
  return one.points.map(([x, y], at) => [x + (other.points[at][0] - x) * share, y + (other.points[at][1] - y) * share]);
}

/** The zone with its place changed at a time, in pixels: everywhere if it stands still, else from a key there. */
export function withPoints(zone, seconds, points, width, height) {
  const [x, y] = zone.isPercent ? [100 / width, 100 / height] : [1, 1];
  const placed = points.map((point) => [point[0] * x, point[1] * y]);
  if (zone.keys.length === 1) return { ...zone, keys: [{ ...zone.keys[0], points: placed }] };
  return withKey(zone, seconds, placed);
}

/** The zone with one more position, or one replaced, at a time. It is made longer if it ended before. */
export function withKey(zone, seconds, points) {
  const keys = [...zone.keys.filter(({ at }) => Math.abs(at - seconds) > MOMENT), { at: seconds, points }];
  keys.sort((one, other) => one.at - other.at);
  const start = zone.start === null ? null : Math.min(zone.start, keys[0].at);
  const end = zone.end === null ? null : Math.max(zone.end, keys.at(-1).at);
  return { ...zone, start, end, keys };
}

/** Let a zone that stands still move: it is where it was at its beginning, and gets a second position now. */
export function moving(zone, seconds) {
  const at = zone.start ?? 0;
  return withKey({ ...zone, keys: [{ at, points: zone.keys[0].points }] }, Math.max(seconds, at + 0.04), zone.keys[0].points);
}

/** Let it stand still where it is now. */
export function still(zone, seconds) {
  return { ...zone, keys: [{ at: zone.start ?? 0, points: interpolated(zone.keys, seconds) }] };
}

/** The corners of a rectangle as a polygon has them. */
export function outlineOf(points) {
  if (points.length !== 2) return points;
  const [[left, top], [right, bottom]] = points;
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

/** Whether a point lies in the zone's outline: the even-odd rule. */
export function isInside(points, [x, y]) {
  let inside = false;
  const corners = outlineOf(points);
  corners.forEach(([x1, y1], at) => {
    const [x2, y2] = corners[(at + 1) % corners.length];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}
