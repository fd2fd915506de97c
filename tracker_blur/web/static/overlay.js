// Paints what lies over the picture: boxes of people, areas, handles, the place to look at.

import { HANDLES } from "./boxes.js";
import { outlineOf, parseZone, pointsAt } from "./zone_shape.js";

const COLORS = { hidden: "#7c9cff", kept: "#4fd08f", doubt: "#ffc247", hide: "#7c9cff", ignore: "#4fd08f", draft: "#ffffff" };
const HANDLE = 9; // screen pixels a side
const TAG = 18; // screen pixels high

/** Paint boxes and areas over the stage. */
export class Overlay {
  constructor({ store, boxes, times, tools }) {
    Object.assign(this, { store, boxes, times, tools });
  }

  paint(stage) {
    const { store } = this;
    const { context } = stage;
    if (store.shown < 0) return;
    context.lineJoin = "round";
    if (store.view === "boxes") {
      this.#paintZones(stage);
      for (const face of this.faces()) this.#paintFace(stage, face);
    }
    this.#paintDoubt(stage);
    if (store.drawing) this.#paintDraft(stage, store.drawing);
  }

  /** The boxes of the frame that is shown, with what is being moved at its new place; the selected one last. */
  faces() {
    const { store, boxes } = this;
    const ghost = this.tools().ghost;
    const faces = boxes.at(store.shown).map((face) => {
      const person = store.video.personByTrack.get(face.track);
      const isHidden = store.video.isHiddenAt(face.track, store.shown);
      const isGhost = ghost?.kind === "face" && ghost.track === face.track && ghost.frame === store.shown;
      return { ...face, box: isGhost ? ghost.box : face.box, person, isHidden, isSelected: store.people.includes(person?.id), isActive: face.track === store.track };
    });
    return faces.sort((one, other) => one.isSelected - other.isSelected || one.isActive - other.isActive);
  }

  #paintFace(stage, { box, person, track, isHidden, isSelected, isActive }) {
    const { context } = stage;
    const [left, top] = stage.toScreen(box[0], box[1]);
    const [right, bottom] = stage.toScreen(box[2], box[3]);
    const color = isHidden ? COLORS.hidden : COLORS.kept;
    context.setLineDash([]);
    context.lineWidth = isSelected ? 5 : 3.5;
    context.strokeStyle = "rgb(0 0 0 / 55%)"; // dark below bright: seen on any picture
    context.strokeRect(left, top, right - left, bottom - top);
    context.lineWidth = isSelected ? 3 : 1.75;
    context.strokeStyle = color;
    if (!isHidden) context.setLineDash([6, 4]);
    context.strokeRect(left, top, right - left, bottom - top);
    context.setLineDash([]);
    if (isSelected) {
      context.fillStyle = `${color}26`;
      context.fillRect(left, top, right - left, bottom - top);
    }
    const name = person ? this.store.video.nameOf(person) : this.store.video.nameOfTrack(track);
    if (isSelected || right - left > 40) paintTag(context, name, left, top, color, isSelected);
    if (isActive && this.store.tool === "select") paintHandles(context, left, top, right, bottom);
  }

  #paintZones(stage) {
    const seconds = this.times().seconds(this.store.shown);
    for (const zone of this.store.video.zones) {
      const points = this.zonePoints(zone, seconds);
      if (points) this.#paintZone(stage, zone, points);
    }
  }

  /** Where a zone is now, in video pixels; null if it is not there. */
  zonePoints(zone, seconds = this.times().seconds(this.store.shown)) {
    const ghost = this.tools().ghost;
    if (ghost?.kind === "zone" && ghost.number === zone.number) return ghost.points;
    const { width, height } = this.store.video;
    return pointsAt(parseZone(zone.where), seconds, width, height);
  }

  #paintZone(stage, zone, points) {
    const { context } = stage;
    const isSelected = zone.number === this.store.zone;
    tracePath(stage, outlineOf(points));
    context.fillStyle = zone.rule === "hide" ? "rgb(60 90 220 / 30%)" : "rgb(40 170 110 / 22%)";
    context.fill();
    context.setLineDash(zone.rule === "hide" ? [] : [10, 5]);
    context.strokeStyle = "rgb(0 0 0 / 55%)";
    context.lineWidth = isSelected ? 5 : 3.5;
    context.stroke();
    context.strokeStyle = COLORS[zone.rule];
    context.lineWidth = isSelected ? 3 : 1.5;
    context.stroke();
    context.setLineDash([]);
    if (!isSelected) return;
    if (points.length === 2) {
      const [left, top] = stage.toScreen(...points[0]);
      const [right, bottom] = stage.toScreen(...points[1]);
      paintHandles(context, left, top, right, bottom);
    } else points.forEach((point) => paintHandle(context, ...stage.toScreen(...point)));
  }

  #paintDoubt(stage) {
    const { store } = this;
    const doubt = store.doubts.find(({ id }) => id === store.doubt);
    if (!doubt || store.shown < doubt.frame || store.shown > doubt.last) return;
    const box = doubt.box ?? this.boxes.at(store.shown).find(({ track }) => track === doubt.track)?.box;
    if (!box) return;
    const { context } = stage;
    const [left, top] = stage.toScreen(box[0], box[1]);
    const [right, bottom] = stage.toScreen(box[2], box[3]);
    const gap = 7;
    context.beginPath();
    context.roundRect(left - gap, top - gap, right - left + 2 * gap, bottom - top + 2 * gap, 10);
    context.lineWidth = 6;
    context.strokeStyle = "rgb(0 0 0 / 55%)";
    context.stroke();
    context.lineWidth = 3;
    context.strokeStyle = COLORS.doubt;
    context.setLineDash([4, 5]);
    context.stroke();
    context.setLineDash([]);
  }

  #paintDraft(stage, { box, points }) {
    const { context } = stage;
    const corners = box ? outlineOf([[box[0], box[1]], [box[2], box[3]]]) : points;
    if (!corners?.length) return;
    tracePath(stage, corners, box !== undefined);
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = COLORS.draft;
    context.lineWidth = 2;
    context.stroke();
    if (points) points.forEach((point) => paintHandle(context, ...stage.toScreen(...point)));
  }
}

function tracePath(stage, corners, isClosed = true) {
  const { context } = stage;
  context.beginPath();
  corners.forEach(([x, y], at) => {
    const place = stage.toScreen(x, y);
    if (at) context.lineTo(...place);
    else context.moveTo(...place);
  });
  if (isClosed) context.closePath();
}

function paintTag(context, text, left, top, color, isSelected) {
  context.font = `${isSelected ? 650 : 500} 12px system-ui, sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const width = context.measureText(text).width + 12;
  const y = top > TAG + 2 ? top - TAG - 2 : top + 2;
  context.fillStyle = isSelected ? color : "rgb(12 16 24 / 78%)";
  context.beginPath();
  context.roundRect(left, y, width, TAG, 4);
  context.fill();
  context.fillStyle = isSelected ? "#0b1020" : "#fff";
  context.fillText(text, left + 6, y + TAG / 2 + 0.5);
}

function paintHandles(context, left, top, right, bottom) {
  const isSmall = Math.min(right - left, bottom - top) < 4 * HANDLE; // then handles would cover the face
  for (const { x, y } of HANDLES.filter((handle) => !isSmall || (handle.x !== 0.5 && handle.y !== 0.5))) paintHandle(context, left + (right - left) * x, top + (bottom - top) * y);
}

function paintHandle(context, x, y) {
  context.fillStyle = "#fff";
  context.strokeStyle = "#10182b";
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE, 2.5);
  context.fill();
  context.stroke();
}
