// Builds elements. Text is always text: nothing that came from a file or a user is parsed as markup.

import { texts } from "./texts.js";

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} options attributes; `text`, `on` (listeners), `data` (data-*), `vars` (CSS properties)
 *   are special, and null, undefined and false are left out.
 * @param {...(Node|string|null|false)} children null and false are left out
 */
export function el(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "vars") {
      for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
    } else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Set text only if it differs, so that screen readers do not say it twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute if it differs; null removes it. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function textAt(path) {
  const text = path.split(".").reduce((part, key) => part?.[key], texts);
  if (typeof text !== "string") throw new Error(`There is no text ${path}.`);
  return text;
}

/** Fill in the texts that the markup names: data-text, data-label (also the tooltip), data-tip. */
export function applyTexts(root = document) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = textAt(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    const text = textAt(element.dataset.label);
    element.setAttribute("aria-label", text);
    if (element.matches("button, a")) element.title = text;
  }
  for (const element of root.querySelectorAll("[data-tip]")) element.title = textAt(element.dataset.tip);
}

/** Keep the children of a list in step with items: elements of items that stay are reused. */
export class KeyedList {
  constructor(parent, { key, make, update, drop = () => {} }) {
    Object.assign(this, { parent, key, make, update, drop });
    this.elements = new Map();
  }

  show(items) {
    const gone = new Set(this.elements.keys());
    let before = this.parent.firstElementChild;
    for (const item of items) {
      const key = this.key(item);
      gone.delete(key);
      let element = this.elements.get(key);
      if (!element) {
        element = this.make(item);
        this.elements.set(key, element);
      }
      this.update(element, item);
      if (element === before) before = before.nextElementSibling;
      else this.parent.insertBefore(element, before);
    }
    for (const key of gone) {
      this.drop(this.elements.get(key));
      this.elements.get(key).remove();
      this.elements.delete(key);
    }
  }
}
