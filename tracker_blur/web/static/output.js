// When all is decided: make the video, check it, write the report.

import { api, reviewApi } from "./api.js";
import { byId, el, setAttribute, setText } from "./dom.js";
import { FaceLoader } from "./faces.js";
import { duration } from "./format.js";
import { announce, ask, attempt, toast } from "./messages.js";
import { WEAK_METHODS } from "./person_pane.js";
import { texts } from "./texts.js";
import { verdictText } from "./verdicts.js";

const FACE = 96; // pixels of the picture of a face
const ENDED = new Set(["done", "failed", "cancelled"]);

/** The buttons on the right of the header, and the progress of what they start. */
export class Output {
  constructor({ store, review, session, photos }) {
    Object.assign(this, { store, review, session, photos });
    this.job = null;
    this.faces = new FaceLoader(review, byId("render-shown"));
    byId("render").addEventListener("click", () => this.render());
    byId("check").addEventListener("click", () => this.#verify());
    byId("report").addEventListener("click", () => this.report());
    store.on("video", () => this.showResult());
    byId("job-cancel").addEventListener("click", () => attempt(() => api.jobAction(this.job.id, "cancel")));
    for (const form of ["public", "internal"]) {
      byId(`report-${form}`).href = review.reportUrl(form, "html");
      byId(`report-${form}-json`).href = review.reportUrl(form, "json");
    }
  }

  /** Show what was made of this video before, also after a reload. */
  async load() {
    const answer = await attempt(api.jobs);
    const all = answer?.jobs.filter(({ review }) => review === this.store.video.id) ?? [];
    all.sort((one, other) => other.created.localeCompare(one.created));
    const mine = all.filter(({ action }) => action !== "track");
    const newest = mine[0];
    this.showResult();
    if (newest && !ENDED.has(newest.state)) this.#follow(newest);
  }

  async render() {
    const left = this.store.doubts.filter(({ seen }) => !seen).length;
    const ready = this.store.video.looked ? texts.output.renderReady : texts.output.renderUntouched;
    setText(byId("render-text"), left ? texts.output.renderLeft(left) : ready);
    this.#listShown();
    const { method, tracks } = this.store.video;
    setText(byId("render-method"), texts.output.renderMethod(texts.methods[method]?.name ?? method));
    byId("render-weak").hidden = ![method, ...tracks.map((track) => track.method)].some((name) => WEAK_METHODS.has(name));
    const count = this.photos.paths.length;
    byId("render-all-label").hidden = count < 2;
    setText(byId("render-all-text"), texts.output.all(count));
    if ((await ask(byId("render-dialog"))) !== "render") return;
    if (count > 1 && byId("render-all").checked) {
      await this.#renderAll();
      return;
    }
    const answer = await attempt(() => this.review.render(byId("render-verify").checked));
    if (answer) this.#follow(answer.job);
  }

  /** Say who can be seen in the result: this is the last moment to notice. */
  #listShown() {
    const { video } = this.store;
    const shown = video.shownPeople();
    setText(byId("render-shown-title"), shown.length ? texts.output.shown(shown.length) : texts.output.noOneShown);
    const rows = shown.map((person) => {
      const face = el("img", { alt: "" });
      this.faces.show(face, person.faces[0], FACE);
      return el("li", { class: "row" }, face, el("span", {}, el("strong", { text: video.nameOf(person) }), el("span", { text: `: ${this.#howShown(person)}` })));
    });
    byId("render-shown").replaceChildren(...rows);
  }

  #howShown(person) {
    const parts = this.store.video.tracksOf(person);
    const kept = parts.filter(({ hidden }) => !hidden).length;
    const words = [kept === parts.length ? texts.output.keptWhole : kept ? texts.output.keptParts(kept, parts.length) : "", person.visible ? texts.output.shownByRules(person.visible) : ""];
    return words.filter(Boolean).join("; ");
  }

  /** Make all photos, as far as they have been looked at or not. */
  async #renderAll() {
    const verify = byId("render-verify").checked;
    const { paths, settings } = this.photos;
    const problems = [];
    for (const [at, path] of paths.entries()) {
      announce(texts.output.adding(at + 1, paths.length));
      try {
        const { id } = await api.openReview(path, settings);
        await reviewApi(id).render(verify);
      } catch (error) {
        problems.push(error.message || texts.common.unreachable); // the others are made all the same
      }
    }
    const added = paths.length - problems.length;
    if (added) toast(texts.output.allAdded(added), { kind: "good" });
    if (problems.length) toast(texts.output.notAdded(problems.join(" ")), { kind: "error", stays: true });
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

  /** The server says that a job has changed: the one that is shown, or another one of this video. */
  heard(job) {
    const isMine = job.review === this.store.video?.id && job.action !== "track";
    if (job.id !== this.job?.id && (this.job || !isMine)) return;
    this.job = job;
    this.#show();
    if (ENDED.has(job.state)) this.#end(job);
  }

  #show() {
    const { action, state, progress, seconds_left: left } = this.job;
    const isRunning = !ENDED.has(state);
    byId("job").hidden = !isRunning;
    byId("render").disabled = byId("check").disabled = isRunning;
    const running = texts.output.running(action, this.store.video.is_image);
    setText(byId("job-text"), `${running}${left ? ` · ${texts.jobs.left(duration(left))}` : ""}`);
    setAttribute(byId("job-bar"), "aria-label", running);
    if (progress === null || progress === undefined) byId("job-bar").removeAttribute("value");
    else byId("job-bar").value = progress;
    this.showResult();
  }

  #end(job) {
    this.job = null;
    this.session.refresh(); // it knows the result, and what was found is now among the places to look at
    const isPhoto = this.store.video.is_image;
    if (job.state === "failed") toast(texts.output.failed(job.action, isPhoto, job.error), { kind: "error" });
    if (job.state !== "done") return;
    const isSearch = job.action === "verify";
    const text = texts.output.done(job.action, isPhoto);
    toast(isSearch ? `${text} ${this.#verdict(job.result)}` : text, { kind: job.result?.verdict === "exposed" ? "error" : "good" });
    announce(text);
  }

  #verdict(found) {
    return verdictText(found, (track) => this.store.video.nameOfTrack(track));
  }

  #checkText({ verdict, is_current: isCurrent, is_being_checked: isBeingChecked }) {
    if (verdict) return (isCurrent ? texts.output.resultChecked : texts.output.olderChecked)(this.#verdict(verdict));
    return isBeingChecked || this.job?.action === "verify" ? texts.output.resultBeingChecked : texts.output.resultUnchecked;
  }

  /** Say whether the result is what was decided, and what the search of it has found. */
  showResult() {
    const { result } = this.store.video;
    byId("download").hidden = byId("check").hidden = byId("result-state").hidden = !result;
    if (!result) return;
    const isOld = !result.is_current;
    const isExposed = result.verdict?.verdict === "exposed";
    const isClean = result.verdict?.verdict === "nothing found" && result.verdict.clean;
    byId("download").href = api.outputUrl(result.job);
    byId("download").classList.toggle("warned", isOld || isExposed);
    setText(byId("download-label"), isOld ? texts.output.old : isExposed ? texts.output.exposed : texts.output.download);
    setText(byId("result-state"), this.#checkText(result));
    byId("result-state").className = `result-state ${isExposed ? "danger" : isClean && !isOld ? "good" : "quiet"}`;
    byId("download").title = isOld ? texts.output.oldHint : isExposed ? texts.verdicts.exposed : "";
  }
}
