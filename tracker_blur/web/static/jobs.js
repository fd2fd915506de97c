// The first page: choose files, say what to hide, watch it happen.

import { api } from "./api.js";
import { applyTexts, byId, el, setText } from "./dom.js";
import { guardDoubleClicks } from "./double_clicks.js";
import { listen } from "./events.js";
import { applyIcons } from "./icons.js";
import { FileList } from "./jobs_files.js";
import { JobForm } from "./jobs_form.js";
import { JobQueue } from "./jobs_queue.js";
import { Uploads } from "./jobs_uploads.js";
import { Watches } from "./jobs_watches.js";
import { ask, attempt, explainRefusal, showConnection, toast } from "./messages.js";
import { openPhotos } from "./photos.js";
import { texts } from "./texts.js";

guardDoubleClicks();
applyTexts();
applyIcons();

const queue = new JobQueue({ onDone: () => files.reload() });
const files = new FileList({ onChoice: (chosen) => form.showChoice(chosen), onReview: review });
const form = new JobForm({ onStart: start, onLook: look });
const watches = new Watches({ settings: () => form.settings("redact") });
new Uploads({ folder: () => files.path, onUploaded: (path) => files.reload(path) });

/** Open the review of a video; if no one was searched for in it yet, do that first. */
async function review(path) {
  const answer = await attempt(() => api.openReview(path, form.settings("track")));
  if (answer?.id) location.href = `/review/${encodeURIComponent(answer.id)}`;
  else if (answer?.job) {
    queue.openWhenDone(answer.job.id);
    queue.put(answer.job);
    toast(texts.jobs.opensWhenDone);
  }
}

/** Search for people in the chosen files; open the review of a single video, or of photos. */
async function look() {
  const entries = await files.chosenFiles();
  const videos = entries.filter(({ kind }) => kind === "video");
  const photos = entries.filter(({ kind }) => kind === "image");
  if (entries.length === 1 && videos[0]?.has_tracks) {
    await review(videos[0].path);
    return;
  }
  const jobs = await add("track", videos.filter((entry) => !entry.has_tracks));
  if (photos.length) await openPhotos(photos.map(({ path }) => path), form.settings("track")); // videos are searched meanwhile
  else if (entries.length === 1 && jobs?.length === 1) {
    queue.openWhenDone(jobs[0].id);
    toast(texts.jobs.opensWhenDone);
  }
}

async function start() {
  const chosen = files.chosen();
  if (!chosen.length) return;
  const found = await attempt(() => api.decided(chosen.map(({ path }) => path)));
  if (!found) return;
  if (!found.files.length) await add("redact", chosen);
  else await startDecided(found.files);
}

/** Some files were reviewed: ask whether what was decided there holds. */
async function startDecided(decided) {
  setText(byId("decided-text"), texts.jobs.decidedText(decided.length));
  byId("decided-names").replaceChildren(...decided.map((path) => el("li", { text: path })));
  const answer = await ask(byId("decided-dialog"));
  if (answer === "ignore") await add("redact", files.chosen(), answer);
  if (answer === "keep") await add("redact", await files.chosenFiles(), answer); // files of folders, each by itself
}

async function add(action, entries, decisions = null) {
  if (!entries.length) return undefined;
  const body = { files: entries.map((entry) => entry.path), action, decisions, ...form.settings(action) };
  const answer = await attempt(() => api.addJobs(body));
  if (!answer) return undefined;
  answer.jobs.forEach((job) => queue.put(job));
  files.choose([]);
  byId("queue-title").focus({ preventScroll: true }); // the button that had the focus is disabled now
  toast(texts.jobs.added(answer.jobs.length));
  return answer.jobs;
}

async function load() {
  const app = await attempt(api.app);
  if (!app) return;
  setText(byId("folder"), app.folder);
  form.show(app);
  await Promise.all([files.restore(), queue.load(), watches.load()]);
}

listen({
  job: (job) => queue.put(job),
  gone: ({ id }) => queue.remove(id),
  watches: () => watches.load(),
  lost: () => showConnection(true),
  refused: explainRefusal,
  back: () => {
    showConnection(false);
    queue.load();
    watches.load();
    files.reload();
  },
});
load();
