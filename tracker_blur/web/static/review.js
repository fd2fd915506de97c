// The review page: puts its parts together.

import { Actions } from "./actions.js";
import { reviewApi } from "./api.js";
import { BoxCache, TimeCache } from "./chunks.js";
import { applyTexts, byId, el, setText } from "./dom.js";
import { guardDoubleClicks } from "./double_clicks.js";
import { DoubtsPane } from "./doubts_pane.js";
import { listen } from "./events.js";
import { FrameLoader } from "./frames.js";
import { applyIcons, icon } from "./icons.js";
import { JournalPane } from "./journal_pane.js";
import { bindKeys } from "./key_map.js";
import { explainRefusal, showConnection, showError, toast } from "./messages.js";
import { Output } from "./output.js";
import { Overlay } from "./overlay.js";
import { PeopleWall } from "./people.js";
import { PersonPane } from "./person_pane.js";
import { Photos } from "./photos.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { SoundsPane } from "./sounds_pane.js";
import { Stage } from "./stage.js";
import { newStore } from "./store.js";
import { segments, tabs } from "./tabs.js";
import { texts } from "./texts.js";
import { Timeline } from "./timeline.js";
import { Tools } from "./tools.js";
import { Transport } from "./transport.js";
import { Zones } from "./zones.js";
import { ZonesPane } from "./zones_pane.js";

const PLACE_KEY = "trackblur-frame-"; // where a reload continues

guardDoubleClicks();
applyTexts();
applyIcons();

const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const api = reviewApi(id);
const store = newStore();
const session = new Session(api, store);
const redraw = () => {
  stage.draw();
  timeline.draw();
};
const boxes = new BoxCache(api, redraw);
let timeCache = null;
let awaited = null; // why the video cannot be shown yet
const times = () => timeCache;
const actions = new Actions({ api, session, store, boxes });
const zones = new Zones({ session, store, times });
const overlay = new Overlay({ store, boxes, times, tools: () => tools });
const loaders = { original: new FrameLoader(api, "original", () => stage.draw()), redacted: new FrameLoader(api, "redacted", () => stage.draw()) };
const stage = new Stage({ store, loaders, paintOverlay: (on) => overlay.paint(on) });
const tools = new Tools({ stage, store, overlay, actions, zones });
const timeline = new Timeline({ store, actions, boxes, times });
const player = new Player({ store, times, api });
const transport = new Transport({ store, actions, player, times });
const wall = new PeopleWall({ store, actions, api });
const doubts = new DoubtsPane({ store, session, actions, stage });
const photos = new Photos(id);
const output = new Output({ store, review: api, session, photos });
const person = new PersonPane({ store, session, actions, times });
const zonesPane = new ZonesPane({ store, session, zones, actions, times });
const sounds = new SoundsPane({ store, session, actions, times });
new JournalPane({ store, api });
timeline.onDoubt = wall.onPlace = (doubt) => doubts.open(doubt);
tabs(store, ["doubts", "person", "zones", "sounds", "journal"]);
bindKeys({ store, session, actions, stage, tools, transport, player, wall, doubts, output, photos });

function addChoices() {
  const views = [["boxes", texts.views.boxes, "1"], ["redacted", texts.views.redacted, "2"], ["slider", texts.views.slider, "3"], ["original", texts.views.original, "4"]];
  const showView = segments(byId("views"), views.map(([value, text, key]) => [value, text, key]), (view) => store.set({ view }));
  store.on("view", () => showView(store.view));
  showView(store.view);
  for (const [tool, name, key] of [["select", "pointer", "V"], ["draw", "box", "D"]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = `${texts.tools[tool]} (${key})`;
    button.append(icon(name), el("span", { text: texts.tools[tool] }));
    button.addEventListener("click", () => (tool === "draw" ? actions.startDrawing() : store.set({ tool })));
    const show = () => button.setAttribute("aria-pressed", String(store.tool === tool));
    store.on("tool", show);
    show();
    byId("tools").append(button);
  }
}

/** Say above the picture what the pointer and the keys do now. */
function showHint() {
  const { tool, drawFor, video } = store;
  const who = drawFor !== null && video?.trackById.has(drawFor) ? texts.tools.drawFor(video.nameOfTrack(drawFor)) : texts.tools.drawNew;
  const text = { draw: who, several: texts.tools.severalHint, "zone-box": texts.tools.zoneBox, "zone-polygon": texts.tools.zonePolygon }[tool] ?? "";
  setText(byId("stage-hint"), text);
  byId("stage-hint").hidden = text === "";
}

function showHeader() {
  const { video } = store;
  setText(byId("name"), video.name);
  document.title = `${video.name} · trackblur`;
  byId("undo").disabled = !video.can_undo;
  byId("redo").disabled = !video.can_redo;
  byId("undo").title = texts.review.undoWhat(video.undoText());
  document.body.classList.toggle("is-image", video.is_image);
  if (video.is_image) byId("stage").setAttribute("aria-label", texts.review.stagePhoto);
  const make = video.is_image ? texts.output.renderPhoto : texts.output.renderVideo;
  setText(byId("render-label"), make);
  setText(byId("render-title"), make);
  byId("tab-sounds").hidden = video.is_image || !video.has_audio;
}

/** Keys continue working after a click on a button: the picture has the focus then. */
function returnFocus(event) {
  const button = event.target.closest("button");
  if (event.detail > 0 && button && !button.closest("dialog, .cards-scroll")) stage.element.focus({ preventScroll: true });
}

function onVideo() {
  const { video } = store;
  if (!timeCache) timeCache = new TimeCache(api, video, redrawTimes);
  boxes.setVersion(video.version, video.lastFrame);
  showHeader();
}

function redrawTimes() {
  transport.show();
  person.show();
  zonesPane.show();
  sounds.show();
  redraw();
}

byId("undo").addEventListener("click", () => session.undo());
byId("redo").addEventListener("click", () => session.redo());
byId("zoom-in").addEventListener("click", () => stage.zoom(1.4));
byId("zoom-out").addEventListener("click", () => stage.zoom(1 / 1.4));
byId("zoom-fit").addEventListener("click", () => stage.fit());
document.addEventListener("click", returnFocus);
store.on("tool drawFor video", showHint);
store.on("tool", () => store.tool === "select" && store.set({ drawFor: null }));
store.on("frame", () => sessionStorage.setItem(PLACE_KEY + id, String(store.frame)));

async function load() {
  try {
    await session.refresh();
  } catch (error) {
    awaited = error.status === 409 ? error.message : null;
    byId("stage-wait").hidden = false;
    setText(byId("stage-wait"), awaited ? texts.review.finding : error.message || texts.common.unreachable);
    if (error.status !== 409) showError(error); // else a job is looking for people: see `searching`
    return;
  }
  setText(byId("stage-wait"), texts.review.loading);
  actions.go(Number(sessionStorage.getItem(PLACE_KEY + id) ?? 0));
  for (const note of store.video.notes ?? []) toast(note);
  await output.load();
}

/** Show how far the search for people is, and continue when it is done. */
function searching(job) {
  const name = job.file.split("/").at(-1);
  if (job.action !== "track" || !awaited?.startsWith(`${name}: `)) return; // until it is done, it has no review
  const share = job.progress ? ` ${texts.units.percent(Math.floor(job.progress * 100))}` : "";
  const text = { failed: job.error, cancelled: texts.states.cancelled }[job.state] ?? `${texts.review.finding}${share}`;
  setText(byId("stage-wait"), text);
  if (job.state === "done") load();
}

// Before all other parts hear of a new video.
store.first("video", onVideo);
listen({
  job: (job) => (store.video ? output.heard(job) : searching(job)),
  review: (change) => change.id === id && session.heard(change.version),
  lost: () => showConnection(true),
  refused: explainRefusal,
  back: () => {
    showConnection(false);
    if (store.video) session.heard();
    else load();
  },
});
addChoices();
load();
