// The states that time can be in, each with one character and one colour class; the same characters as on the terminal.

import { h } from "./dom.js";

export const STATES = {
  complete: ["#", "complete"],
  partly: ["+", "partly there"],
  missing: [".", "missing"],
  provisional: ["~", "provisional: bars that can still change"],
  refused: ["x", "refused by the plan"],
  closed: ["-", "market closed"],
};

export const MINUTES = {
  bars: ["#", "a bar in every minute"],
  "no trade": ["o", "no trade, and that is proved"],
  empty: ["e", "the vendor has none; asked more than once"],
  provisional: ["~", "provisional: can still change"],
  missing: [".", "missing"],
  closed: ["-", "market closed"],
};

/** What the characters and colours mean. */
export function legend(states) {
  return h(
    "ul",
    { class: "legend", "aria-label": "Legend" },
    Object.entries(states).map(([state, [mark, words]]) =>
      h("li", null, h("span", { class: "mark", "data-state": state, "aria-hidden": "true" }, mark), words),
    ),
  );
}
