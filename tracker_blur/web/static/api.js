// Every request that the pages make. Errors carry the server's sentence.

/** What the server said, or that it cannot be reached (status 0). */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

async function send(method, path, { body, signal } = {}) {
  const options = { method, signal, headers: {}, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("", 0);
  }
  if (!answer.ok) throw new ApiError(await sentence(answer), answer.status);
  return answer;
}

async function sentence(answer) {
  try {
    return (await answer.json()).error ?? answer.statusText;
  } catch {
    return answer.statusText || String(answer.status);
  }
}

async function json(method, path, options) {
  const answer = await send(method, path, options);
  return answer.status === 204 ? null : answer.json();
}

const NO_TEXT = /\p{Surrogate}/gu; // in names of files that are no text: no address can hold it
const segments = (path) => path.replace(NO_TEXT, "\uFFFD").split("/").map(encodeURIComponent).join("/");
const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));

/** Files, jobs and watched folders. */
export const api = {
  app: () => json("GET", "/api/app"),
  files: (path) => json("GET", `/api/files?${query({ path })}`),
  jobs: () => json("GET", "/api/jobs"),
  addJobs: (body) => json("POST", "/api/jobs", { body }),
  decided: (files) => json("POST", "/api/decided", { body: { files } }),
  jobAction: (id, action) => json("POST", `/api/jobs/${encodeURIComponent(id)}/${action}`, { body: {} }),
  forgetJob: (id) => json("DELETE", `/api/jobs/${encodeURIComponent(id)}`),
  fileUrl: (path) => `/api/files/${segments(path)}`,
  outputUrl: (id) => `/api/jobs/${encodeURIComponent(id)}/output`,
  watches: () => json("GET", "/api/watches"),
  addWatch: (body) => json("POST", "/api/watches", { body }),
  dropWatch: (body) => json("DELETE", "/api/watches", { body }),
  openReview: (path, settings = {}) => json("POST", "/api/reviews", { body: { path, ...settings } }),
  upload,
};

/** Send a file as it is; `onProgress` gets the share sent, 0 to 1. Returns {path}. */
function upload(file, name, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/files/${segments(name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(new ApiError(request.response?.error ?? request.statusText, request.status));
    };
    request.onerror = () => reject(new ApiError("", 0));
    request.send(file);
  });
}

/** The requests about one video under review. */
export function reviewApi(id) {
  const base = `/api/reviews/${encodeURIComponent(id)}`;
  return {
    state: () => json("GET", base),
    times: (first, last) => json("GET", `${base}/times?${query({ first, last })}`),
    boxes: (first, last) => json("GET", `${base}/boxes?${query({ first, last })}`),
    doubts: () => json("GET", `${base}/doubts`),
    journal: () => json("GET", `${base}/journal`),
    edit: (edit, why, version) => json("POST", `${base}/edits`, { body: { edit, base: version, ...(why && { why }) } }),
    undo: (version) => json("POST", `${base}/undo`, { body: { base: version } }),
    redo: (version) => json("POST", `${base}/redo`, { body: { base: version } }),
    render: (verify) => json("POST", `${base}/render`, { body: { verify } }),
    verify: () => json("POST", `${base}/verify`, { body: {} }),
    /** Return the address, in memory, of a face's picture; null if an edit took its box away meanwhile. */
    async face(track, frame, size) {
      const answer = await send("GET", `${base}/faces/${track}/${frame}?${query({ size })}`);
      return answer.status === 204 ? null : URL.createObjectURL(await answer.blob());
    },
    reportUrl: (form, as) => `${base}/report?${query({ form, as })}`,
    mediaUrl: `${base}/media`,
    /** Return the picture of a frame, decoded; null if a newer request has overtaken this one. */
    async frame(number, { view, width, client, seq, signal }) {
      try {
        const path = `${base}/frames/${number}?${query({ view, width, client, seq })}`;
        const answer = await send("GET", path, { signal });
        return await createImageBitmap(await answer.blob());
      } catch (error) {
        if (error.name === "AbortError" || error.status === 409) return null;
        throw error;
      }
    },
  };
}
