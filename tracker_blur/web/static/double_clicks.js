// The second click of a double-click acts only on what the first one has hit.

const SOON_MS = 600; // systems allow up to half a second, and pages are slow at times
const NEAR = 6; // screen pixels
const CONTROLS = "button, a, input, select, summary, label, canvas, dialog, li";

/**
 * Swallow clicks that follow another one at the same place, but would hit something else.
 *
 * A click may open a dialog, show a message or fill a list again: then another control lies under
 * the pointer, and a double click would press it without having seen it.
 */
export function guardDoubleClicks() {
  let last = { target: null, x: 0, y: 0, at: -Infinity };
  document.addEventListener(
    "click",
    (event) => {
      if (!event.detail) return; // from a key
      const hit = event.target.closest(CONTROLS);
      const target = hit?.matches("label") ? (hit.control ?? hit) : hit; // a click on a label is followed by one on its input
      const isSoon = event.timeStamp - last.at < SOON_MS && Math.hypot(event.clientX - last.x, event.clientY - last.y) < NEAR;
      if (isSoon && target !== last.target) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      last = { target, x: event.clientX, y: event.clientY, at: event.timeStamp };
    },
    { capture: true },
  );
}
