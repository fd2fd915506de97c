// What the pointer does on the picture: choose, move, resize, draw, pan and zoom.

import * as boxes from "./boxes.js";
import { announce } from "./messages.js";
import { texts } from "./texts.js";
import { isInside } from "./zone_shape.js";

const REACH = { mouse: 8, pen: 10, touch: 20 }; // screen pixels around a handle
const SLIP = 3; // screen pixels: a shorter way is a click
const NUDGE_MS = 500; // keys that follow each other within this time are one edit
const WHEEL = 0.0016;
const FIRST_SIZE = 0.22; // of the picture's height: a box that is placed by keys

/** Listens to the stage's pointers. Edits go through `actions`. */
export class Tools {
  constructor({ stage, store, overlay, actions, zones }) {
    Object.assign(this, { stage, store, overlay, actions, zones });
    this.ghost = null; // what is being moved, where it is now: {kind, track|number, frame, box|points}
    this.gesture = null;
    this.pointers = new Map();
    const { canvas } = stage;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("dblclick", () => this.#doubleClick());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    store.on("tool", () => this.cancel());
    store.on("video", () => this.#settle());
  }

  /** Give up what is being drawn or moved. Returns whether there was something. */
  cancel() {
    const had = this.gesture !== null || this.store.drawing !== null;
    this.gesture = null;
    this.ghost = null;
    this.store.set({ drawing: null });
    this.stage.draw();
    return had;
  }

  /** Finish what is being drawn; begin with a box in the middle if there is nothing yet. */
  async confirm() {
    const { drawing, tool } = this.store;
    if (tool === "select") return;
    if (!drawing) this.#place();
    else if (drawing.box) await this.#finishBox(drawing.box, false);
    else await this.#finishPolygon(drawing.points);
  }

  /** Move what is drawn or selected, by keys; with `isSize`, make it larger or smaller. */
  nudge(dx, dy, isSize) {
    const { store } = this;
    if (store.tool !== "select" && !store.drawing) this.#place();
    if (store.drawing?.box) {
      store.set({ drawing: { ...store.drawing, box: change(store.drawing.box, dx, dy, isSize) } });
      return;
    }
    const face = this.#activeFace();
    if (!face || !this.stage.isCurrent) return;
    this.ghost = { kind: "face", track: face.track, frame: store.frame, box: change(face.box, dx, dy, isSize) };
    this.stage.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#commitFace(), NUDGE_MS);
  }

  #place() {
    const { video } = this.store;
    const [x, y] = this.stage.toVideo(this.stage.width / 2, this.stage.height / 2);
    const half = (video.height * FIRST_SIZE) / 2;
    this.store.set({ drawing: { box: boxes.clipped([x - half * 0.8, y - half, x + half * 0.8, y + half], video.width, video.height) } });
    announce(texts.tools.placed);
  }

  #activeFace() {
    return this.overlay.faces().find(({ track }) => track === this.store.track);
  }

  #down(event) {
    const point = [event.offsetX, event.offsetY];
    this.pointers.set(event.pointerId, point);
    this.stage.canvas.setPointerCapture(event.pointerId);
    this.stage.element.focus({ preventScroll: true });
    if (this.pointers.size === 2) this.#beginPinch();
    else if (event.button === 1 || event.altKey) this.gesture = { kind: "pan", from: point };
    else if (event.button === 0) this.gesture = this.#begin(event, point);
  }

  #begin(event, point) {
    const { store, stage } = this;
    const at = stage.toVideo(...point);
    if (store.tool === "zone-polygon") return { kind: "corner", from: point, at };
    if (store.tool !== "select") {
      store.set({ drawing: null });
      return { kind: "draw", from: point, at };
    }
    if (store.view !== "boxes" || !stage.isCurrent) return { kind: "pan", from: point, isClick: true };
    return this.#grab(point, at, REACH[event.pointerType] ?? REACH.mouse) ?? this.#choose(event, point, at);
  }

  /** Return the gesture for the handle, corner or area under the pointer; null if there is none. */
  #grab(point, at, reach) {
    const { store, stage } = this;
    const near = (x, y) => Math.hypot(point[0] - x, point[1] - y) <= reach;
    const handleOf = ([left, top, right, bottom]) =>
      boxes.HANDLES.find(({ x, y }) => near(...stage.toScreen(left + (right - left) * x, top + (bottom - top) * y)));
    const face = store.track !== null && this.#activeFace();
    if (face) {
      const handle = handleOf(face.box);
      if (handle) return { kind: "resize", from: point, at, handle, box: face.box, track: face.track };
    }
    const zone = store.video.zones.find(({ number }) => number === store.zone);
    const points = zone && this.overlay.zonePoints(zone);
    if (!points) return null;
    const gesture = { from: point, at, number: zone.number, points };
    if (points.length === 2) {
      const handle = handleOf(points.flat());
      if (handle) return { ...gesture, kind: "zone-resize", handle };
    } else {
      const corner = points.findIndex((place) => near(...stage.toScreen(...place)));
      if (corner >= 0) return { ...gesture, kind: "zone-corner", corner };
    }
    return isInside(points, at) && !this.#faceAt(at) ? { ...gesture, kind: "zone-move" } : null;
  }

  #choose(event, point, at) {
    const face = this.#faceAt(at);
    if (face) {
      this.actions.selectTrack(face.track, { isMore: event.ctrlKey || event.metaKey || event.shiftKey });
      return { kind: "move", from: point, at, box: face.box, track: face.track };
    }
    const zone = this.store.video.zones.findLast((one) => {
      const points = this.overlay.zonePoints(one);
      return points && isInside(points, at);
    });
    if (!zone) return { kind: "pan", from: point, isClick: true };
    this.actions.selectZone(zone.number);
    return { kind: "zone-move", from: point, at, number: zone.number, points: this.overlay.zonePoints(zone) };
  }

  #faceAt(at) {
    const hit = this.overlay.faces().filter(({ box }) => boxes.contains(box, at));
    return hit.find(({ isActive }) => isActive) ?? hit.sort((one, other) => boxes.areaOf(one.box) - boxes.areaOf(other.box))[0];
  }

  #move(event) {
    const point = [event.offsetX, event.offsetY];
    const { gesture, stage, store } = this;
    if (!this.pointers.has(event.pointerId)) {
      this.#hover(event, point);
      return;
    }
    const before = this.pointers.get(event.pointerId);
    this.pointers.set(event.pointerId, point);
    if (gesture?.kind === "pinch") this.#pinch();
    if (!gesture || gesture.kind === "pinch" || gesture.kind === "corner") return;
    gesture.isMoving ||= Math.hypot(point[0] - gesture.from[0], point[1] - gesture.from[1]) > SLIP;
    if (!gesture.isMoving) return;
    if (gesture.kind === "pan") stage.pan(point[0] - before[0], point[1] - before[1]);
    else if (gesture.kind === "draw") store.set({ drawing: { box: boxes.between(gesture.at, stage.toVideo(...point), store.video.width, store.video.height) } });
    else this.#drag(gesture, stage.toVideo(...point));
  }

  #drag(gesture, [x, y]) {
    const [dx, dy] = [x - gesture.at[0], y - gesture.at[1]];
    const { track, number, points } = gesture;
    if (track !== undefined) {
      const box = gesture.kind === "move" ? boxes.moved(gesture.box, dx, dy) : boxes.resized(gesture.box, gesture.handle, dx, dy);
      this.ghost = { kind: "face", track, frame: this.store.frame, box };
    } else {
      this.ghost = { kind: "zone", number, points: draggedPoints(gesture, points, dx, dy) };
    }
    this.stage.draw();
  }

  async #up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { gesture, store, stage } = this;
    this.gesture = null;
    if (!gesture || event.type === "pointercancel") {
      this.cancel();
      return;
    }
    if (gesture.kind === "corner") this.#addCorner(gesture.at, gesture.from);
    else if (gesture.kind === "pan" && gesture.isClick && !gesture.isMoving) this.actions.deselect();
    else if (gesture.kind === "draw" && store.drawing) await this.#finishBox(store.drawing.box, event.shiftKey);
    else if (this.ghost?.kind === "face") await this.#commitFace();
    else if (this.ghost?.kind === "zone") await this.zones.place(this.ghost.number, this.ghost.points);
    stage.draw();
  }

  async #commitFace() {
    clearTimeout(this.timer);
    const { ghost } = this;
    if (ghost?.kind !== "face") return;
    await this.actions.reshape(ghost.track, ghost.frame, boxes.rounded(ghost.box));
    if (this.ghost === ghost) this.ghost = null;
  }

  /** The edit has come back as the video's own state. */
  #settle() {
    if (this.ghost?.kind === "zone" && !this.gesture) this.ghost = null;
  }

  /** A box has been drawn; with `isMore`, the people in it are added to the selection. */
  async #finishBox(box, isMore) {
    if (!boxes.isLargeEnough(box)) {
      this.store.set({ drawing: null });
      return;
    }
    if (this.store.tool === "several") this.actions.selectWithin(box, { isMore });
    else if (this.store.tool === "draw") await this.actions.drawBox(boxes.rounded(box));
    else await this.zones.add([[box[0], box[1]], [box[2], box[3]]]);
    this.store.set({ drawing: null });
  }

  #addCorner(at, from) {
    const points = this.store.drawing?.points ?? [];
    const isClosing = points.length > 2 && Math.hypot(...this.stage.toScreen(...points[0]).map((place, axis) => place - from[axis])) < REACH.pen;
    if (isClosing) this.#finishPolygon(points);
    else this.store.set({ drawing: { points: [...points, at] } });
  }

  async #finishPolygon(points) {
    if (points.length > 2) await this.zones.add(points);
    this.store.set({ drawing: null });
  }

  #doubleClick() {
    const { drawing } = this.store;
    if (drawing?.points) this.#finishPolygon(drawing.points.slice(0, -1)); // the second click has added one more
  }

  #hover(event, point) {
    const { store, stage } = this;
    let cursor = store.tool === "select" ? "default" : "crosshair";
    if (store.tool === "select" && store.view === "boxes" && store.video) {
      const at = stage.toVideo(...point);
      const grabbed = this.#grab(point, at, REACH[event.pointerType] ?? REACH.mouse);
      cursor = grabbed?.handle?.cursor ?? (grabbed || this.#faceAt(at) ? "move" : stage.isFit ? "default" : "grab");
    }
    stage.canvas.style.cursor = cursor;
  }

  #wheel(event) {
    event.preventDefault();
    this.stage.zoom(Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 20 : 1)), event.offsetX, event.offsetY);
  }

  #beginPinch() {
    this.cancel();
    this.gesture = { kind: "pinch", ...this.#spread() };
  }

  #pinch() {
    const { distance, middle } = this.#spread();
    const { gesture, stage } = this;
    stage.pan(middle[0] - gesture.middle[0], middle[1] - gesture.middle[1]);
    stage.zoom(distance / gesture.distance, ...middle);
    Object.assign(gesture, { distance, middle });
  }

  #spread() {
    const [[x1, y1], [x2, y2]] = [...this.pointers.values()];
    return { distance: Math.hypot(x1 - x2, y1 - y2) || 1, middle: [(x1 + x2) / 2, (y1 + y2) / 2] };
  }
}

function change(box, dx, dy, isSize) {
  return isSize ? boxes.grown(box, dx, -dy) : boxes.moved(box, dx, dy);
}

function draggedPoints({ kind, handle, corner }, points, dx, dy) {
  if (kind === "zone-move") return points.map(([x, y]) => [x + dx, y + dy]);
  if (kind === "zone-corner") return points.map(([x, y], at) => (at === corner ? [x + dx, y + dy] : [x, y]));
  const [left, top, right, bottom] = boxes.resized(points.flat(), handle, dx, dy);
  return [[left, top], [right, bottom]];
}
