// Light or dark: as the system has it, or as the person chose.

import { fill, svg } from "./dom.js";

const KEY = "gapless.theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

const chosen = () => (localStorage.getItem(KEY) in NEXT ? localStorage.getItem(KEY) : "system");

export const isDark = () => (chosen() === "system" ? dark.matches : chosen() === "dark");

/** Hear of every change until the signal aborts. */
export function onTheme(hear, signal) {
  listeners.add(hear);
  signal.addEventListener("abort", () => listeners.delete(hear));
}

function apply() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  for (const hear of listeners) hear();
}

const PATHS = {
  system: "M3 4h14v9H3z M7 17h6 M10 13v4",
  light:
    "M10 6a4 4 0 1 0 0 8a4 4 0 1 0 0-8 M10 1v2 M10 17v2 M1 10h2 M17 10h2 M3.6 3.6l1.4 1.4 M15 15l1.4 1.4 M16.4 3.6L15 5 M5 15l-1.4 1.4",
  dark: "M16.5 12.5A7 7 0 0 1 7.5 3.5a7 7 0 1 0 9 9z",
};

/** Make a button that goes round: system, light, dark. */
export function themeButton(button) {
  const label = () => {
    fill(
      button,
      svg(
        "svg",
        { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
        svg("path", { d: PATHS[chosen()] }),
      ),
    );
    button.setAttribute("aria-label", `Colours: ${chosen()}. Change to ${NEXT[chosen()]}.`);
    button.title = `Colours: ${chosen()}`;
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, NEXT[chosen()]);
    apply();
    label();
  });
  dark.addEventListener("change", apply);
  apply();
  label();
}
