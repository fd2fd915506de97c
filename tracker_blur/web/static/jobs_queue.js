// The jobs: what waits, runs, is done or failed.

import { api } from "./api.js";
import { byId, el, KeyedList, setText } from "./dom.js";
import { duration } from "./format.js";
import { icon } from "./icons.js";
import { announce, attempt, toast } from "./messages.js";
import { texts } from "./texts.js";
import { verdictText } from "./verdicts.js";

const OPENS_KEY = "trackblur-opens";
const PARTIAL = "--partial"; // what errors name that can be passed over so
const ENDED = new Set(["done", "failed", "cancelled"]);
const NAMED = 20; // of the files in which nothing was found, and of warnings

/** The list of jobs: what runs, what waits in its order, then what has ended, the last one first; `onDone` is called when one has made a new file. */
export class JobQueue {
  constructor({ onDone }) {
    this.onDone = onDone;
    this.jobs = new Map();
    this.list = new KeyedList(byId("jobs"), { key: (job) => job.id, make: makeRow, update: (row, job) => this.#update(row, job) });
  }

  async load() {
    const answer = await attempt(api.jobs);
    if (!answer) return;
    this.jobs = new Map(answer.jobs.map((job) => [job.id, job]));
    this.#show();
  }

  put(job) {
    const before = this.jobs.get(job.id);
    this.jobs.set(job.id, job);
    this.#show();
    if (!before || before.state === job.state) return;
    announce(texts.jobs.stateOf(job.file, texts.states[job.state]));
    if (ENDED.has(job.state)) this.onDone(job);
    if (job.state === "done" && job.review) this.#open(job);
  }

  remove(id) {
    this.jobs.delete(id);
    this.#show();
  }

  /** Go to the review as soon as this job is done, also after a reload. */
  openWhenDone(id) {
    sessionStorage.setItem(OPENS_KEY, id);
    const give = () => sessionStorage.removeItem(OPENS_KEY); // someone who does something else does not wait for it
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, give, { once: true });
  }

  #open(job) {
    const address = `/review/${encodeURIComponent(job.review)}`;
    if (sessionStorage.getItem(OPENS_KEY) === job.id) {
      sessionStorage.removeItem(OPENS_KEY);
      location.href = address;
    } else if (job.action === "track") {
      toast(texts.jobs.found(job.file), { kind: "good", actions: [{ text: texts.jobs.review, run: () => (location.href = address) }] });
    }
  }

  #show() {
    const jobs = ordered([...this.jobs.values()]);
    this.list.show(jobs);
    this.#showRunning(jobs.filter(({ state }) => !ENDED.has(state)));
    byId("no-jobs").hidden = jobs.length > 0;
    byId("all-results").hidden = new Set(jobs.filter(hasResults).map(({ output }) => output)).size < 2;
  }

  /** Say at the top of the page what runs: the list may be out of sight. */
  #showRunning(jobs) {
    byId("running").hidden = jobs.length === 0;
    if (!jobs.length) return;
    const [job] = jobs;
    const share = job.progress ? ` · ${texts.units.percent(Math.floor(job.progress * 100))}` : "";
    setText(byId("running"), texts.jobs.runs(`${texts.actions[job.action](job.file)}${share}`, jobs.length - 1));
  }

  #update(row, job) {
    const { title, state, bar, facts, warning, warnings, error, alarm, buttons } = row.parts;
    const isExposed = verdictOf(job, this.jobs) === "exposed";
    row.className = `job ${job.state}${isExposed ? " exposed" : ""}`;
    setText(title, texts.actions[job.action](job.file));
    setText(state, texts.states[job.state]);
    bar.hidden = ENDED.has(job.state);
    if (job.progress === null || job.progress === undefined) bar.removeAttribute("value");
    else bar.value = job.progress;
    setText(facts, factsOf(job));
    setText(error, problemOf(job));
    error.hidden = !job.error;
    setText(warning, warningOf(job));
    warning.hidden = !warning.textContent;
    showWarnings(warnings, job.result ?? {});
    alarm.hidden = !isExposed;
    const wanted = buttonsOf(job, isExposed);
    const shown = wanted.map(([name]) => name).join();
    if (row.shown === shown) return;
    row.shown = shown;
    buttons.replaceChildren(...wanted.map(([name, options]) => this.#button(job, name, options)));
  }

  #button(job, name, { href = null, action = null, primary = false }) {
    const options = { class: primary ? "button primary" : "button", "aria-label": `${texts.jobs.buttons[name]}: ${job.file}` };
    const content = [icon(BUTTON_ICONS[name]), el("span", { text: texts.jobs.buttons[name] })];
    if (href) return el("a", { ...options, href, download: name === "download" }, ...content);
    return el("button", { type: "button", ...options, on: { click: () => this.#run(this.jobs.get(job.id), name, action) } }, ...content);
  }

  async #run(job, name, action) {
    if (name === "forget" || name === "erase") {
      await attempt(() => api.forgetJob(job.id));
      return;
    }
    if (name === "partial") {
      const { file, action, settings } = job;
      const answer = await attempt(() => api.addJobs({ files: [file], action, ...settings, options: { ...settings.options, partial: true } }));
      answer?.jobs.forEach((added) => this.put(added));
      if (answer) await attempt(() => api.forgetJob(job.id));
      return;
    }
    if (name === "verify") {
      const answer = await attempt(() => api.addJobs({ files: [job.output], action: "verify", classes: [], method: null, care: "normal", options: {} }));
      answer?.jobs.forEach((added) => this.put(added));
      return;
    }
    const changed = await attempt(() => api.jobAction(job.id, action ?? name));
    if (changed) this.put(changed);
  }
}

/** Return jobs in the order of the list; they come in that in which they were added. */
function ordered(jobs) {
  const rank = ({ state }) => (ENDED.has(state) ? 2 : state === "waiting" ? 1 : 0);
  const places = new Map(jobs.map(({ id }, at) => [id, at]));
  const place = (one, other) => places.get(one.id) - places.get(other.id);
  const latest = (one, other) => (other.ended ?? "").localeCompare(one.ended ?? "") || place(other, one);
  return jobs.sort((one, other) => rank(one) - rank(other) || (ENDED.has(one.state) ? latest(one, other) : place(one, other)));
}

const isFile = (path) => /\.[a-z0-9]{1,5}$/i.test(path ?? "");

/** Whether a job has made a file that can be handed out, or a folder of such files. */
const hasResults = ({ state, action, output, is_upload: isUpload }) => state === "done" && (action === "redact" || action === "render") && output !== null && !isUpload;

/** What the newest search of a job's result has found, also on the row of the job that made it. */
function verdictOf(job, jobs) {
  if (job.action === "verify") return job.result?.verdict ?? null;
  if (!job.output || job.is_upload) return null;
  const searches = [...jobs.values()].filter(({ action, file, state }) => action === "verify" && file === job.output && state === "done");
  searches.sort((one, other) => other.created.localeCompare(one.created));
  return searches[0]?.result?.verdict ?? null;
}

const BUTTON_ICONS = { partial: "check", look: "warning", pause: "pause", resume: "play", cancel: "close", retry: "redo", download: "download", review: "people", verify: "search", forget: "trash", erase: "trash" };

/** Whether a job failed because its file is damaged, and can be done with what is whole of it. */
const canBePartial = ({ action, error, is_upload: isUpload, settings }) => (action === "redact" || action === "track") && !isUpload && !settings.options?.partial && Boolean(error?.includes(PARTIAL));

/** Return the buttons of a job: pairs of name and options. */
function buttonsOf(job, isExposed) {
  if (job.state === "running") return [["pause", {}], ["cancel", {}]];
  if (job.state === "paused") return [["resume", {}], ["cancel", {}]];
  if (job.state === "waiting") return [["cancel", {}]];
  const last = [job.is_upload ? "erase" : "forget", {}];
  if (job.state !== "done") return [...(canBePartial(job) ? [["partial", { primary: true }]] : []), ["retry", {}], last];
  const buttons = [];
  if (job.review) buttons.push([isExposed ? "look" : "review", { href: `/review/${encodeURIComponent(job.review)}`, primary: true }]);
  if (job.output && job.action !== "track") buttons.push(["download", { href: api.outputUrl(job.id) }]);
  const isOfFolder = isFile(job.output) && !job.is_upload;
  if (isOfFolder && (job.action === "redact" || job.action === "render")) buttons.push(["verify", {}]);
  return [...buttons, last];
}

/** Why a job failed. */
const problemOf = ({ error }) => (error ?? "").replace(PARTIAL, `“${texts.jobs.buttons.partial}”`);

/** In which files a job has found nothing, so that everyone in them can be seen; a job that failed may have written some. */
function warningOf({ result }) {
  const names = result?.nothing_found ?? [];
  return names.length ? texts.jobs.nothingFound(names.slice(0, NAMED), Math.max(0, names.length - NAMED)) : "";
}

/** List what a run has warned of; it is text, whatever names of files hold. */
function showWarnings(list, { warnings = [], warning_count: count = warnings.length }) {
  const more = count - Math.min(NAMED, warnings.length);
  const shown = more > 0 ? [...warnings.slice(0, NAMED), texts.jobs.moreWarnings(more)] : warnings;
  list.hidden = !shown.length;
  const key = shown.join("\n");
  if (list.shown === key) return;
  list.shown = key;
  list.replaceChildren(...shown.map((text) => el("li", { text })));
}

function factsOf(job) {
  const facts = [];
  if (job.state === "running" && job.progress !== null) facts.push(texts.units.percent(Math.floor(job.progress * 100)));
  if (job.state === "running" && job.frames_per_second) facts.push(texts.jobs.speed(Math.round(job.frames_per_second)));
  if (job.state === "running" && job.seconds_left !== null && job.seconds_left !== undefined) facts.push(texts.jobs.left(duration(job.seconds_left)));
  if (job.state === "done" && job.started && job.ended) facts.push(texts.jobs.took(duration((new Date(job.ended) - new Date(job.started)) / 1000)));
  if (job.state === "done" && job.output && job.action !== "track") facts.push(isFile(job.output) ? texts.jobs.madeFile(job.output) : texts.jobs.madeFolder(job.output));
  if (job.state === "done" && job.result?.verdict) facts.push(verdictText(job.result));
  return facts.join(" · ");
}

function makeRow() {
  const parts = {
    title: el("p", { class: "job-title" }),
    state: el("span", { class: "badge" }),
    bar: el("progress", { max: "1", "aria-label": texts.jobs.progress }),
    facts: el("p", { class: "quiet small" }),
    warning: el("p", { class: "caution" }),
    warnings: el("ul", { class: "caution small", "aria-label": texts.jobs.warnings }),
    error: el("p", { class: "error" }),
    alarm: el("p", { class: "alarm", role: "alert" }, icon("warning"), el("span", { text: texts.verdicts.exposed })),
    buttons: el("div", { class: "row wrap" }),
  };
  const row = el("li", { class: "job" }, el("div", { class: "row" }, parts.title, parts.state), parts.bar, parts.alarm, parts.facts, parts.warning, parts.warnings, parts.error, parts.buttons);
  row.parts = parts;
  return row;
}
