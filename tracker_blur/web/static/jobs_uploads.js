// Files that are dropped onto the page or picked: they are copied into the folder.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { announce, attempt } from "./messages.js";
import { texts } from "./texts.js";

/** Uploads one file after the other; `onUploaded` gets the path of each. */
export class Uploads {
  constructor({ folder, onUploaded }) {
    this.folder = folder;
    this.onUploaded = onUploaded;
    this.last = Promise.resolve();
    byId("pick").addEventListener("change", (event) => {
      this.add(event.target.files);
      event.target.value = "";
    });
    this.#acceptDrops();
  }

  add(files) {
    for (const file of files) {
      const bar = el("progress", { max: "1", value: "0", "aria-label": texts.jobs.uploading(file.name) });
      const row = el("li", {}, el("span", { class: "name", text: file.name }), bar);
      byId("uploads").append(row);
      this.last = this.last.then(() => this.#send(file, bar)).finally(() => row.remove());
    }
  }

  async #send(file, bar) {
    const folder = this.folder();
    const name = folder ? `${folder}/${file.name}` : file.name;
    const answer = await attempt(() => api.upload(file, name, (share) => (bar.value = share)));
    if (!answer) return;
    announce(texts.jobs.uploaded(file.name));
    await this.onUploaded(answer.path);
  }

  #acceptDrops() {
    const veil = byId("dropping");
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => hasFiles(event) && (veil.hidden = false));
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    addEventListener("dragleave", (event) => event.relatedTarget === null && (veil.hidden = true));
    addEventListener("drop", (event) => {
      veil.hidden = true;
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }
}
