// Loads the faces on cards: those that can be seen, and few at once, so that the picture never waits for them.

const AT_ONCE = 2; // browsers open six connections, and a frame needs a free one
const KEPT = 1500; // crops of some kilobytes

/** Fills in images; `show` says which crop an image shows, and it comes when the image can be seen. */
export class FaceLoader {
  constructor(api, root) {
    this.api = api;
    this.wanted = new Map(); // image: its crop
    this.urls = new Map(); // key of a crop: its address in memory
    this.running = 0;
    this.last = 0; // the frame of the crop before: those near to it are decoded together
    this.observer = new IntersectionObserver((entries) => this.#seen(entries), { root, rootMargin: "120px" });
  }

  /** Show the face of a track in a frame, `size` pixels a side; another box is another picture. */
  show(image, { track, frame, box }, size) {
    const key = `${track} ${frame} ${box} ${size}`;
    if (image.dataset.face === key) return;
    image.dataset.face = key;
    image.removeAttribute("src");
    this.wanted.set(image, { key, track, frame, size, isSeen: false });
    this.observer.unobserve(image); // it reports again
    this.observer.observe(image);
  }

  /** Forget an image that is not on the page any more. */
  forget(image) {
    this.observer.unobserve(image);
    this.wanted.delete(image);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const wanted = this.wanted.get(target);
      if (wanted) wanted.isSeen = isIntersecting;
    }
    this.#next();
  }

  #next() {
    while (this.running < AT_ONCE) {
      const next = [...this.wanted].filter(([, { isSeen }]) => isSeen).sort(([, one], [, other]) => Math.abs(one.frame - this.last) - Math.abs(other.frame - this.last))[0];
      if (!next) return;
      this.wanted.delete(next[0]);
      this.#load(...next);
    }
  }

  async #load(image, crop) {
    this.running += 1;
    this.last = crop.frame;
    try {
      const url = this.urls.get(crop.key) ?? (await this.api.face(crop.track, crop.frame, crop.size));
      if (!url) return void delete image.dataset.face; // it may be there after the next edit
      this.#keep(crop.key, url);
      if (image.dataset.face === crop.key) image.src = url;
    } catch {
      delete image.dataset.face;
    } finally {
      this.running -= 1;
      this.#next();
    }
  }

  #keep(key, url) {
    this.urls.delete(key);
    this.urls.set(key, url);
    if (this.urls.size <= KEPT) return;
    const [oldest, gone] = this.urls.entries().next().value;
    URL.revokeObjectURL(gone);
    this.urls.delete(oldest);
  }
}
