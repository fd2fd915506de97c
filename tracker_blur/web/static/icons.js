// Icons of 24 units, drawn as lines.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  area: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  back: "M15 5l-7 7 7 7",
  box: "M5 5h14v14H5z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 100-6 3 3 0 000 6z",
  eyeOff: "M4 4l16 16M9.5 5.9A9 9 0 0112 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 01-3 3.8M6 7.6A17 17 0 002.5 12S6 18.5 12 18.5c1.600 0 3-.4 4.200-1M10 10a3 3 0 004 4",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  folder: "M3 6h6l2 2h10v11H3z",
  follow: "M3 12h4M17 12h4M12 3v4M12 17v4M12 15a3 3 0 100-6 3 3 0 000 6z",
  history: "M4 12a8 8 0 108-8c-3 0-5.500 1.500-7 4M4 4v4.500h4.500M12 8v4.500l3 2",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.500h.01",
  next: "M6 5l9 7-9 7zM18 5v14",
  pause: "M8 5v14M16 5v14",
  people: "M9 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM2.500 20c0-3.500 3-6 6.500-6s6.500 2.500 6.500 6M16 4.300a3.500 3.500 0 010 6.400M18 14.300c2.200.9 3.500 3 3.500 5.700",
  play: "M7 4.500v15l12-7.500z",
  forward: "M9 5l7 7-7 7",
  plus: "M12 5v14M5 12h14",
  pointer: "M6 4l12 7-5.500 1.500L10 18z",
  previous: "M18 5l-9 7 9 7zM6 5v14",
  redo: "M20 8l-4-4M20 8l-4 4M20 8H10a6 6 0 000 12h3",
  search: "M10.500 17a6.500 6.500 0 100-13 6.500 6.500 0 000 13zM15.500 15.500L21 21",
  several: "M5 9V5h4M15 5h4v4M19 15v4h-4M9 19H5v-4M12 9.500v5M9.500 12h5",
  sound: "M4 9v6h4l5 4V5L8 9zM16.500 8.500a5 5 0 010 7",
  split: "M12 3v18M8 8l-4 4 4 4M16 8l4 4-4 4",
  merge: "M4 12h6M20 12h-6M7 8.500L10.500 12 7 15.500M17 8.500L13.500 12l3.500 3.500",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  undo: "M4 8l4-4M4 8l4 4M4 8h10a6 6 0 010 12h-3",
  video: "M3 6h12v12H3zM15 10.500l6-3.500v10l-6-3.500",
  warning: "M12 4L2.500 20h19zM12 10v4.500M12 17.300v.2",
};

/** Make an icon; it says nothing to screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Put icons in front of the text of all elements that name one with data-icon. */
export function applyIcons(root = document) {
  for (const element of root.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
}
