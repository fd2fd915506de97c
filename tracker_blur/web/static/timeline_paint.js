// Paints the timeline: ruler, cuts, places to look at, areas, sound, and a lane for each person.

import { clock } from "./format.js";
import { texts } from "./texts.js";
import { parseSpan } from "./sounds_pane.js";
import { parseZone } from "./zone_shape.js";

export const GUTTER = 116; // pixels for names
export const RULER = 22;
export const ROW = 14; // places to look at, areas, sound
export const LANE = 20;
export const OVERVIEW = 10;
export const ORIGINS = ["detected", "followed", "between", "held", "margin", "drawn"];

const HEIGHTS = { detected: 12, followed: 12, drawn: 12, between: 8, held: 6, margin: 4 }; // also without colors
const SHOWN_ALPHA = 0.4; // where nothing is hidden
const SINGLE_FRAMES = 400; // so few are painted one by one, from their boxes
const TICK_ROOM = 76; // pixels a label
const NICE_SECONDS = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** The colors of the current scheme, from the style sheet. */
export function readColors(element) {
  const style = getComputedStyle(element);
  const names = ["ink", "quiet", "line", "ground", "surface", "raised", "accent", "warn", "good", "danger", ...ORIGINS.map((name) => `origin-${name}`)];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Paint all that can be seen. `at` has scale, lanes, top, rows, boxes, times, store, colors, width, height. */
export function paintTimeline(context, at) {
  const { width, height, colors } = at;
  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  paintLanes(context, at);
  context.fillStyle = colors.surface;
  context.fillRect(0, 0, width, at.top);
  paintRuler(context, at);
  paintRows(context, at);
  paintCuts(context, at);
  paintPlayhead(context, at);
  if (!at.scale.isAll) paintOverview(context, at);
}

function paintRuler(context, { scale, times, colors, width }) {
  const perSecond = scale.perFrame * times.fps;
  const step = NICE_SECONDS.find((seconds) => seconds * perSecond >= TICK_ROOM) ?? 14400;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillStyle = colors.quiet;
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  context.beginPath();
  const begin = Math.floor(scale.first / times.fps / step) * step;
  for (let number = 0, seconds = begin; ; number += 1, seconds = begin + number * step) {
    const x = Math.round(scale.x(seconds * times.fps)) + 0.5;
    if (x > width) break;
    if (x < scale.left) continue;
    context.moveTo(x, 4);
    context.lineTo(x, RULER);
    context.fillText(clock(seconds + 1e-4, step < 1 ? 2 : 0), x + 4, RULER / 2);
  }
  context.moveTo(0, RULER + 0.5);
  context.lineTo(width, RULER + 0.5);
  context.stroke();
}

/** Which rows there are above the lanes. */
export function rowsOf({ video, doubts }) {
  const rows = [];
  if (doubts.some(({ seen }) => !seen)) rows.push("doubts");
  if (video.zones.length) rows.push("zones");
  if (video.sounds.length) rows.push("sounds");
  return rows;
}

function paintRows(context, at) {
  at.rows.forEach((name, number) => {
    const top = RULER + 1 + number * ROW;
    context.fillStyle = at.colors.quiet;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText(texts.timeline.rows[name], 10, top + ROW / 2);
    clipped(context, at, top, ROW, () => PAINT_ROW[name](context, at, top));
  });
}

const PAINT_ROW = {
  doubts(context, { scale, store, colors }, top) {
    for (const { frame, last, seen, id } of store.doubts) {
      if (seen) continue;
      const x = scale.x(frame);
      if (x > scale.left + scale.width || scale.x(last + 1) < scale.left) continue;
      context.fillStyle = id === store.doubt ? colors.danger : colors.warn;
      context.fillRect(x, top + 2, Math.max(3, scale.x(last + 1) - x), ROW - 4);
    }
  },
  zones(context, { scale, store, times, colors }, top) {
    const { zones } = store.video;
    const height = Math.max(2, (ROW - 6) / zones.length); // one below the other: none covers another
    for (const [number, zone] of zones.entries()) {
      const { start, end } = parseZone(zone.where);
      context.fillStyle = zone.rule === "hide" ? colors.accent : colors.good;
      context.globalAlpha = zone.number === store.zone ? 1 : 0.65;
      paintSpan(context, scale, times, start, end, top + 3 + ((number * height) % (ROW - 6)), height);
      context.globalAlpha = 1;
    }
  },
  sounds(context, { scale, store, times, colors }, top) {
    for (const sound of store.video.sounds) {
      const { start, end } = parseSpan(sound.where);
      context.fillStyle = sound.effect === "mute" ? colors["origin-margin"] : colors["origin-between"];
      paintSpan(context, scale, times, start, end, top + 3, ROW - 6);
    }
  },
};

function paintSpan(context, scale, times, start, end, y, height) {
  const from = scale.x(start === null ? 0 : start * times.fps);
  const to = scale.x(end === null ? scale.frames : end * times.fps);
  const left = Math.max(from, scale.left);
  if (to > left && from < scale.left + scale.width) context.fillRect(left, y, Math.max(2, Math.min(to, scale.left + scale.width) - left), height);
}

function clipped(context, { scale }, top, height, paint) {
  context.save();
  context.beginPath();
  context.rect(scale.left, top, scale.width, height);
  context.clip();
  paint();
  context.restore();
}

function paintLanes(context, at) {
  const { lanes, store, top, scroll, height, width, colors, scale } = at;
  const first = Math.floor(scroll / LANE);
  const last = Math.min(lanes.length - 1, Math.floor((scroll + height - top) / LANE));
  const isSingle = scale.visible <= SINGLE_FRAMES;
  const painted = new Map();
  for (let number = first; number <= last; number += 1) {
    const person = lanes[number];
    const y = top + number * LANE - scroll;
    const isSelected = store.people.includes(person.id);
    if (isSelected) {
      context.fillStyle = colors.raised;
      context.fillRect(0, y, width, LANE);
    }
    context.fillStyle = isSelected ? colors.ink : colors.quiet;
    context.font = `${isSelected ? 650 : 400} 12px system-ui, sans-serif`;
    context.textAlign = "left";
    context.fillText(fitted(context, store.video.nameOf(person), GUTTER - 18), 10, y + LANE / 2);
    clipped(context, at, y, LANE, () => {
      if (!isSingle) paintPerson(context, at, person, y);
      else for (const track of person.tracks) painted.set(track, { y, person });
    });
  }
  if (isSingle) clipped(context, at, top, height - top, () => paintSingleFrames(context, at, painted));
}

function paintPerson(context, { scale, store, colors }, person, y) {
  const from = scale.first;
  const to = scale.first + scale.visible;
  for (const id of person.tracks) {
    const track = store.video.trackById.get(id);
    if (!track || track.last < from || track.first > to) continue;
    const isShown = (first, last) => track.shown.some(([one, two]) => one <= first && last <= two);
    let done = -Infinity; // what is narrower than a pixel is painted once
    for (let at = firstSpan(track.spans, from); at < track.spans.length; at += 1) {
      const [first, last, origin] = track.spans[at];
      if (first > to) break;
      const left = Math.max(scale.x(first), done);
      const right = Math.max(scale.x(last + 1), scale.x(first) + 1);
      if (right <= done) continue;
      context.globalAlpha = track.hidden && !isShown(first, last) ? 1 : SHOWN_ALPHA;
      paintBar(context, colors, origin, left, Math.max(1, right - left), y);
      done = left + Math.max(1, right - left);
    }
    context.globalAlpha = 1;
    paintFrame(context, { scale, store, colors }, track, y);
  }
}

function paintBar(context, colors, origin, left, width, y) {
  const height = HEIGHTS[origin] ?? 12;
  context.fillStyle = colors[`origin-${origin}`] || colors.accent;
  context.fillRect(left, y + (LANE - height) / 2, width, height);
}

/** Outlines: green where the person stays visible, red where areas or limits show them, thick around the part that is selected. */
function paintFrame(context, { scale, store, colors }, track, y) {
  const isActive = track.id === store.track;
  for (const [first, last] of track.hidden ? track.shown : []) outline(context, scale, first, last, y, colors.danger, 1.5, [4, 3]);
  if (track.hidden && !isActive) return;
  outline(context, scale, track.first, track.last, y, isActive ? colors.ink : colors.good, isActive ? 2 : 1.5, track.hidden ? [] : [4, 3]);
}

function outline(context, scale, first, last, y, color, width, dash) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash(dash);
  const left = Math.max(scale.x(first), scale.left - 4);
  const right = Math.min(scale.x(last + 1), scale.left + scale.width + 4);
  context.strokeRect(left + 0.5, y + 2.5, Math.max(2, right - left - 1), LANE - 5);
  context.setLineDash([]);
}

function paintSingleFrames(context, at, painted) {
  const { scale, boxes, store, colors } = at;
  const last = Math.min(scale.frames - 1, Math.ceil(scale.first + scale.visible));
  const gap = scale.perFrame > 6 ? 1 : 0;
  for (let frame = Math.max(0, Math.floor(scale.first)); frame <= last; frame += 1) {
    for (const { track, origin } of boxes.at(frame)) {
      const lane = painted.get(track);
      if (!lane) continue;
      context.globalAlpha = store.video.isHiddenAt(track, frame) ? 1 : SHOWN_ALPHA;
      paintBar(context, colors, origin, scale.x(frame), scale.perFrame - gap, lane.y);
    }
  }
  context.globalAlpha = 1;
  for (const [id, { y }] of painted) {
    const track = store.video.trackById.get(id);
    if (track) paintFrame(context, at, track, y);
  }
}

/** The first span that ends at `frame` or later: they are in order. */
function firstSpan(spans, frame) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][1] < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

function paintCuts(context, { scale, store, colors, height }) {
  context.strokeStyle = colors.quiet;
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  let done = -Infinity;
  for (const cut of store.video.cuts) {
    const x = Math.round(scale.x(cut)) + 0.5;
    if (x < scale.left || x > scale.left + scale.width || x - done < 2) continue;
    context.moveTo(x, 0);
    context.lineTo(x, height);
    done = x;
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function paintPlayhead(context, { scale, store, colors, height }) {
  const left = scale.x(store.frame);
  const right = scale.x(store.frame + 1);
  if (right < scale.left || left > scale.left + scale.width) return;
  if (right - left > 3) {
    context.fillStyle = colors.danger;
    context.globalAlpha = 0.18;
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1;
  }
  const x = Math.round((left + right) / 2);
  context.fillStyle = colors.danger;
  context.fillRect(x - 1, 0, 2, height);
  context.beginPath();
  context.moveTo(x - 6, 0);
  context.lineTo(x + 6, 0);
  context.lineTo(x, 8);
  context.fill();
}

function paintOverview(context, { scale, colors, width, height }) {
  const y = height - OVERVIEW;
  context.fillStyle = colors.surface;
  context.fillRect(0, y, width, OVERVIEW);
  context.fillStyle = colors.line;
  context.fillRect(scale.left, y + 2, scale.width, OVERVIEW - 4);
  context.fillStyle = colors.quiet;
  const share = scale.width / scale.frames;
  context.fillRect(scale.left + scale.first * share, y + 2, Math.max(12, scale.visible * share), OVERVIEW - 4);
}

function fitted(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let short = text;
  while (short.length > 1 && context.measureText(`${short}…`).width > room) short = short.slice(0, -1);
  return `${short}…`;
}
