// What a search of a result has found, in words.

import { texts } from "./texts.js";

/**
 * Say what a search has found, who was left visible by choice, and what else is not as it was.
 *
 * @param {object|null} found what `verify` said; null: the result was not searched
 * @param {?function(number): string} nameOf how the person of a track is called; null: no one knows them here
 * @returns {string}
 */
export function verdictText(found, nameOf = null) {
  if (!found) return texts.verdicts.none;
  const left = found.left_visible ?? [];
  const parts = [texts.verdicts.found(found.verdict, found.look_here ?? 0, left.length > 0)];
  if (left.length) parts.push(leftText(left, nameOf));
  const failed = (found.checks ?? []).filter(({ passed }) => !passed).map(({ name }) => name);
  if (failed.length) parts.push(texts.verdicts.changed(failed.join(", ")));
  return parts.join(" ");
}

function leftText(left, nameOf) {
  const tracks = new Set(left.map(({ track }) => track).filter((track) => track !== null));
  const others = left.filter(({ track }) => track === null).length;
  const names = nameOf ? [...new Set([...tracks].map(nameOf))] : [];
  return names.length && !others ? texts.verdicts.leftNames(names) : texts.verdicts.left(tracks.size + others);
}
