// When all is decided: make the video, check it, write the report.

import { api } from "./api.js";
import { byId, setAttribute, setText } from "./dom.js";
import { duration } from "./format.js";
import { announce, ask, attempt, toast } from "./messages.js";
import { texts } from "./texts.js";

const ENDED = new Set(["done", "failed", "cancelled"]);

/** The buttons on the right of the header, and the progress of what they start. */
export class Output {
  constructor({ store, review, session }) {
    Object.assign(this, { store, review, session });
    this.job = null;
    byId("render").addEventListener("click", () => this.render());
    byId("check").addEventListener("click", () => this.#verify());
    byId("report").addEventListener("click", () => this.report());
    byId("job-cancel").addEventListener("click", () => attempt(() => api.jobAction(this.job.id, "cancel")));
    for (const form of ["public", "internal"]) {
      byId(`report-${form}`).href = review.reportUrl(form, "html");
      byId(`report-${form}-json`).href = review.reportUrl(form, "json");
    }
  }

  /** Show what was made of this video before, also after a reload. */
  async load() {
    const answer = await attempt(api.jobs);
    const mine = answer?.jobs.filter(({ review, action }) => review === this.store.video.id && action !== "track") ?? [];
    const newest = mine.sort((one, other) => other.created.localeCompare(one.created))[0];
    const made = mine.find(({ state, action }) => state === "done" && action !== "verify");
    if (made) this.#showMade(made);
    if (newest && !ENDED.has(newest.state)) this.#follow(newest);
  }

  async render() {
    const left = this.store.doubts.filter(({ seen }) => !seen).length;
    setText(byId("render-text"), left ? texts.output.renderLeft(left) : texts.output.renderReady);
    if ((await ask(byId("render-dialog"))) !== "render") return;
    const answer = await attempt(() => this.review.render(byId("render-verify").checked));
    if (answer) this.#follow(answer.job);
  }

  async report() {
    await ask(byId("report-dialog"));
  }

  async #verify() {
    const answer = await attempt(() => this.review.verify());
    if (answer) this.#follow(answer.job);
  }

  #follow(job) {
    this.job = job;
    this.#show();
  }

  /** The server says that a job has changed. */
  heard(job) {
    if (job.id !== this.job?.id) return;
    this.job = job;
    this.#show();
    if (ENDED.has(job.state)) this.#end(job);
  }

  #show() {
    const { action, state, progress, seconds_left: left } = this.job;
    const isRunning = !ENDED.has(state);
    byId("job").hidden = !isRunning;
    byId("render").disabled = byId("check").disabled = isRunning;
    setText(byId("job-text"), `${texts.output.running[action] ?? texts.states[state]}${left ? ` · ${texts.jobs.left(duration(left))}` : ""}`);
    setAttribute(byId("job-bar"), "aria-label", texts.output.running[action]);
    if (progress === null || progress === undefined) byId("job-bar").removeAttribute("value");
    else byId("job-bar").value = progress;
  }

  #end(job) {
    this.job = null;
    if (job.state === "failed") toast(texts.output.failed(job.error), { kind: "error" });
    if (job.state !== "done") return;
    const verdict = job.result?.verdict;
    const text = texts.output.done[job.action] ?? texts.output.done.render;
    toast(verdict ? `${text} ${texts.verdicts[verdict] ?? verdict}` : text, { kind: verdict === "exposed" ? "error" : "good" });
    announce(text);
    if (job.action !== "verify") this.#showMade(job);
    this.session.refresh(); // what was found is now among the places to look at
  }

  #showMade(job) {
    byId("download").hidden = byId("check").hidden = false;
    byId("download").href = api.outputUrl(job.id);
  }
}
