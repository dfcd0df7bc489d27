// One month of one series as a calendar: a cell for each trading day.

import { ask, path } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { h } from "../dom.js";
import { compact, many, percent } from "../format.js";
import { legend, STATES } from "../marks.js";
import { head, walkable } from "../parts.js";
import { link } from "../route.js";
import { trail } from "./trail.js";

const WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const name = (year, month, day) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

export async function showDays(symbol, base, month, signal) {
  const [year, number] = month.split("-").map(Number);
  const start = name(year, number - 1, 1);
  const end = name(year, number, 1);
  const where = path("coverage", symbol);
  const params = { timeframe: base, by: "day", start, end };
  const { days, percent: done } = await ask(where, params, signal);
  const found = new Map(days.map((day) => [day.day, day]));
  const bad = days.filter((day) => day.missing_ms > 0);
  const said = bad.length
    ? `${percent(done)} is there; something is missing on ${many(bad.length, "day")}.`
    : days.length
      ? "Nothing is missing in this month."
      : "Nothing of this month was asked for, or no market was open.";
  const grid = calendar(symbol, base, year, number, found);
  walkable(grid, "a.day");
  const steps = [
    h(
      "a",
      {
        class: "step",
        href: link("completeness", [symbol, base, name(year, number - 2, 1).slice(0, 7)]),
        "aria-label": "The month before",
      },
      "‹",
    ),
    h(
      "a",
      { class: "step", href: link("completeness", [symbol, base, end.slice(0, 7)]), "aria-label": "The month after" },
      "›",
    ),
  ];
  return h(
    "div",
    null,
    trail(symbol, base, month),
    head(`${symbol} ${base} in ${month}`, said, steps),
    grid,
    legend(STATES),
    elsewhere(ways(symbol, where, params)),
  );
}

function calendar(symbol, base, year, number, found) {
  const blanks = (new Date(Date.UTC(year, number - 1, 1)).getUTCDay() + 6) % 7;
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const cells = Array.from({ length }, (_, at) => day(symbol, base, name(year, number - 1, at + 1), found));
  return h(
    "div",
    { class: "calendar", role: "group", "aria-label": `Days of ${year}-${number}` },
    WEEK.map((word) => h("span", { class: "weekday", "aria-hidden": "true" }, word)),
    Array.from({ length: blanks }, () => h("span")),
    cells,
  );
}

function day(symbol, base, date, found) {
  const one = found.get(date);
  const number = Number(date.slice(8));
  if (!one)
    return h(
      "span",
      { class: "day off", title: `${date}: no session` },
      h("b", null, number),
      h("span", { class: "mark" }, "-"),
    );
  const words = `${date}: ${STATES[one.state]?.[1] ?? one.state}, ${percent(one.percent)}, ${many(one.bars, "bar")}`;
  return h(
    "a",
    {
      class: "day",
      href: link("completeness", [symbol, base, date]),
      title: words,
      data: { state: one.state },
    },
    h("span", { class: "unseen" }, words),
    h("b", { "aria-hidden": "true" }, number),
    h("span", { class: "mark", "aria-hidden": "true" }, one.mark),
    h(
      "small",
      { "aria-hidden": "true" },
      one.state === "partly" ? percent(one.percent) : `${compact(one.bars)} ${one.bars === 1 ? "bar" : "bars"}`,
    ),
  );
}

function ways(symbol, where, params) {
  return {
    CLI: command("status", [symbol], { timeframe: params.timeframe }),
    Python: python("status", [[symbol], [params.timeframe]]),
    HTTP: curl(where, params),
  };
}
