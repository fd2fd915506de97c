// Numbers as people read them.

import { texts } from "./texts.js";

const pad = (number, digits = 2) => String(number).padStart(digits, "0");

/** Seconds as 1:02:03.45; hours only if there are any. Rounded down, so that it never runs ahead. */
export function clock(seconds, decimals = 2) {
  const scale = 10 ** decimals;
  const ticks = Math.floor(Math.max(0, seconds) * scale + 1e-6);
  const whole = Math.floor(ticks / scale);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const head = hours ? `${hours}:${pad(minutes)}` : `${minutes}`;
  const tail = decimals ? `.${pad(ticks % scale, decimals)}` : "";
  return `${head}:${pad(whole % 60)}${tail}`;
}

/** Read "83", "83s", "1:23.5" or "0:01:23" as seconds; null for anything else. */
export function parseClock(text) {
  const match = /^\s*(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)s?\s*$/.exec(text);
  if (!match || (match[2] && match[3] >= 60) || (match[1] && match[2] >= 60)) return null;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3]);
}

/** Seconds in words: 4 s, 2 min 5 s, 1 h 3 min. */
export function duration(seconds) {
  if (seconds < 9.95) return texts.units.seconds(seconds < 1 ? Math.max(0.1, seconds).toFixed(1) : Number(seconds.toFixed(1)));
  const whole = Math.round(seconds);
  if (whole < 60) return texts.units.seconds(whole);
  if (whole < 3600) return texts.units.minutes(Math.floor(whole / 60), whole % 60);
  return texts.units.hours(Math.floor(whole / 3600), Math.floor(whole / 60) % 60);
}

/** Bytes in words. */
export function bytes(number) {
  const units = texts.units.bytes;
  let size = number;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** When something happened, in the user's own way of writing it. */
export function moment(iso) {
  return new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
