// Short messages to people who see the page and to people who hear it; and questions.

import { api } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { texts } from "./texts.js";

const SHOWN_MS = 5000;
const ERROR_MS = 15_000;
const MOST = 2; // at once

/** Say something to screen readers only. */
export function announce(text) {
  setText(byId("live"), text);
}

/**
 * Show a message for some seconds; what is `busy` or `stays`, until it is closed, or the function that is returned is called.
 *
 * @param {string} text
 * @param {{kind?: string, actions?: {text: string, run: function}[], stays?: boolean}} options
 */
export function toast(text, { kind = "info", actions = [], stays = kind === "busy" } = {}) {
  const remove = () => box.remove();
  const box = el(
    "div",
    { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status" },
    el("p", { text }),
    ...actions.map((action) => el("button", { type: "button", class: "link", text: action.text, on: { click: () => (remove(), action.run()) } })),
    el("button", { type: "button", class: "icon-button", "aria-label": texts.common.close, on: { click: remove } }, icon("close")),
  );
  byId("toasts").append(box);
  while (byId("toasts").childElementCount > MOST) byId("toasts").firstElementChild.remove();
  if (!stays) setTimeout(remove, kind === "error" ? ERROR_MS : SHOWN_MS);
  return remove;
}

/** Show what went wrong. */
export function showError(error) {
  if (error.name === "AbortError") return;
  if (error.name !== "ApiError") console.error(error);
  if (error.status === 0) showConnection(true); // the banner goes when it answers again
  else toast(error.status === 403 ? texts.common.newAddress : error.message, { kind: "error" });
}

/** Run something asynchronous that a user requested; errors are shown. Returns undefined after one. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    showError(error);
    return undefined;
  }
}

/** Keep the banner in step with the connection to the server. */
export function showConnection(isLost, text = texts.common.lost) {
  const banner = byId("lost");
  setText(banner, isLost ? text : "");
  banner.hidden = !isLost;
}

/** Say why the server does not let this page in any more, if it has a new token. */
export async function explainRefusal() {
  const error = await api.app().catch((reason) => reason);
  if (error.status === 403) showConnection(true, texts.common.newAddress);
}

/** Open a dialog that is in the page. Its buttons with `value` close it, as Enter does; returns the value, or "". */
export function ask(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    for (const button of dialog.querySelectorAll("[data-close]")) button.onclick = () => dialog.close("");
    dialog.showModal();
  });
}
