// What a view shows where there is nothing to show: nothing yet, nothing found, or what went wrong.

import { Gone, Problem } from "./api.js";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";

/** Nothing here, and what to do about it. */
export function empty(title, words, ...commands) {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "big" }, title),
    words && h("p", { class: "quiet" }, words),
    commands.map((text) => h("p", null, copyButton(text))),
  );
}

/** There is no store, or nothing was ever asked for. */
export function nothingYet(store) {
  const start = "gapless backfill AAPL X:BTCUSD -t 5m,1d --start 30d";
  return store.exists
    ? empty("Nothing was asked for yet", "A backfill fetches bars and remembers that they are wanted.", start)
    : empty(
        "No store yet",
        `${store.store} is made by the first backfill. No key at hand? The demo needs none.`,
        start,
        "gapless demo",
      );
}

/** What went wrong, in the server's own words. */
export function failure(error, again) {
  const gone = error instanceof Gone;
  const known = gone || error instanceof Problem;
  return h(
    "div",
    { class: "empty wrong", role: "alert" },
    h("h1", { class: "big" }, gone ? "The server does not answer" : known ? error.title : "This view failed"),
    h(
      "p",
      null,
      gone ? "Is `gapless serve` still running? This page goes on by itself when it is back." : error.message,
    ),
    known && error.hint && h("p", { class: "quiet" }, error.hint),
    h("p", null, h("button", { type: "button", onclick: again }, "Try again")),
  );
}

/** Grey shapes while something is read. */
export const loading = () =>
  h("div", { class: "loading", role: "status", "aria-label": "Loading" }, h("i"), h("i"), h("i"));
