// Geometry of boxes: [left, top, right, bottom] in pixels of the upright frame.

/** The eight handles of a box: name, place as shares of width and height, and the sides that they move. */
export const HANDLES = [
  { name: "nw", x: 0, y: 0, cursor: "nwse-resize" },
  { name: "n", x: 0.5, y: 0, cursor: "ns-resize" },
  { name: "ne", x: 1, y: 0, cursor: "nesw-resize" },
  { name: "e", x: 1, y: 0.5, cursor: "ew-resize" },
  { name: "se", x: 1, y: 1, cursor: "nwse-resize" },
  { name: "s", x: 0.5, y: 1, cursor: "ns-resize" },
  { name: "sw", x: 0, y: 1, cursor: "nesw-resize" },
  { name: "w", x: 0, y: 0.5, cursor: "ew-resize" },
];

export const SMALLEST = 4; // pixels a side: less is a slip of the hand

export const isLargeEnough = ([left, top, right, bottom]) => right - left >= SMALLEST && bottom - top >= SMALLEST;
export const contains = ([left, top, right, bottom], [x, y]) => x >= left && x <= right && y >= top && y <= bottom;
export const areaOf = ([left, top, right, bottom]) => Math.max(0, right - left) * Math.max(0, bottom - top);
export const moved = ([left, top, right, bottom], dx, dy) => [left + dx, top + dy, right + dx, bottom + dy];
export const rounded = (box) => box.map((value) => Math.round(value * 10) / 10);

/** The box between two corners, within a frame. */
export function between([x1, y1], [x2, y2], width, height) {
  return clipped([Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)], width, height);
}

export function clipped([left, top, right, bottom], width, height) {
  const fit = (value, most) => Math.max(0, Math.min(most, value));
  return [fit(left, width), fit(top, height), fit(right, width), fit(bottom, height)];
}

/** The box after one of its handles has been moved; sides never pass each other. */
export function resized([left, top, right, bottom], handle, dx, dy) {
  if (handle.x === 0) left = Math.min(left + dx, right - SMALLEST);
  if (handle.x === 1) right = Math.max(right + dx, left + SMALLEST);
  if (handle.y === 0) top = Math.min(top + dy, bottom - SMALLEST);
  if (handle.y === 1) bottom = Math.max(bottom + dy, top + SMALLEST);
  return [left, top, right, bottom];
}

/** The box grown (or shrunk) around its center. */
export function grown([left, top, right, bottom], dx, dy) {
  const box = [left - dx, top - dy, right + dx, bottom + dy];
  return isLargeEnough(box) ? box : [left, top, right, bottom];
}
