// Short messages to people who see the page and to people who hear it; and questions.

import { byId, el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { texts } from "./texts.js";

const SHOWN_MS = 5000;
const MOST = 2; // at once

/** Say something to screen readers only. */
export function announce(text) {
  setText(byId("live"), text);
}

/** Show a message for some seconds; errors stay until they are closed. */
export function toast(text, { kind = "info", action = null } = {}) {
  const remove = () => box.remove();
  const box = el(
    "div",
    { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status" },
    el("p", { text }),
    action && el("button", { type: "button", class: "link", text: action.text, on: { click: () => (remove(), action.run()) } }),
    el("button", { type: "button", class: "icon-button", "aria-label": texts.common.close, on: { click: remove } }, icon("close")),
  );
  byId("toasts").append(box);
  while (byId("toasts").childElementCount > MOST) byId("toasts").firstElementChild.remove();
  if (kind !== "error") setTimeout(remove, SHOWN_MS);
  return remove;
}

/** Show what went wrong. */
export function showError(error) {
  if (error.name === "AbortError") return;
  if (error.name !== "ApiError") console.error(error);
  toast(error.status === 0 ? texts.common.unreachable : error.message, { kind: "error" });
}

/** Run something asynchronous that a user asked for; errors are shown. Returns undefined after one. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    showError(error);
    return undefined;
  }
}

/** Keep the banner in step with the connection to the server. */
export function showConnection(isLost) {
  const banner = byId("lost");
  setText(banner, isLost ? texts.common.lost : "");
  banner.hidden = !isLost;
}

/** Open a dialog that is in the page; its buttons with `value` close it. Returns the value. */
export function ask(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}
