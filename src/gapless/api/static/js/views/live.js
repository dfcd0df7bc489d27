// Runs as they go on, in whatever process: how fast, how much of the budget is used, why one waits, what went wrong.

import { ask, askStore } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { fill, h } from "../dom.js";
import { ago, compact, count, duration, many } from "../format.js";
import { gauge, head, tile } from "../parts.js";
import { link } from "../route.js";
import { sparkline } from "../spark.js";
import { empty } from "../states.js";
import { onEvent } from "../stream.js";

const KEPT = 120;
const STATE = { running: "goes on", ended: "has ended", lost: "is lost: its process ended without a word" };

export async function show(at, signal) {
  const store = await askStore(signal);
  const { runs } = store.exists ? await ask("v1/runs", { limit: 20 }, signal) : { runs: [] };
  const box = h("div", { class: "runs" });
  const cards = new Map();
  const quiet = h("div");
  const hear = (run) => {
    const known = cards.get(run.run_id);
    if (!known && run.state !== "running") return;
    const card = known ?? newCard(box, cards, run.run_id);
    card.draw(run);
    quiet.hidden = true;
  };
  runs
    .filter((run) => run.state === "running")
    .reverse()
    .forEach(hear);
  onEvent((name, data) => name === "run" && hear(data), signal);
  if (!cards.size) fill(quiet, resting(runs));
  const ways = { CLI: command("update"), Python: python("update"), HTTP: curl("v1/events").replace("curl", "curl -N") };
  return h(
    "div",
    null,
    head("Live", "Every run that writes this store, in whatever process it runs."),
    quiet,
    box,
    elsewhere(ways),
  );
}

function resting(runs) {
  const last = runs[0];
  if (!last)
    return empty(
      "Nothing runs, and nothing ever ran",
      "Start a run in a terminal, and watch it here.",
      "gapless backfill --preset quick",
    );
  return h(
    "div",
    null,
    empty("Nothing runs now", null, "gapless update"),
    h(
      "p",
      { class: "quiet centre" },
      `The last run ended ${ago(last.ended)}. `,
      h("a", { href: link("store", ["runs", last.run_id]) }, "See its report"),
    ),
  );
}

function newCard(box, cards, id) {
  const place = h("article", { class: "panel run", "aria-label": `Run ${id}`, data: { run: id } });
  box.prepend(place);
  const past = { bars: [], requests: [], at: 0 };
  const card = { draw: (run) => fill(place, drawn(run, past)) };
  cards.set(id, card);
  return card;
}

function drawn(run, past) {
  const now = run.progress ?? atItsEnd(run, past.now);
  if (run.progress && now.at !== past.at) {
    past.now = now;
    past.at = now.at;
    for (const [list, value] of [
      [past.bars, now.bars_per_second],
      [past.requests, now.requests_per_second],
    ]) {
      list.push(value ?? 0);
      if (list.length > KEPT) list.shift();
    }
  }
  return [
    title(run),
    now
      ? [progress(run, now), why(run, now), figures(run, now, past), trouble(now)]
      : run.state === "running" && h("p", { class: "quiet" }, "It has not told of itself yet."),
    ending(run),
  ];
}

// A run that is over notes nothing any more: what it told last stays, with the counts of its report.
function atItsEnd({ report }, last) {
  if (!last || !report) return last;
  return { ...last, bars: report.bars, requests_done: report.requests, errors: report.retries };
}

function title(run) {
  const wishes = run.wish?.wishes ?? [];
  const names = [...new Set(wishes.map((one) => one.symbol))];
  const frames = [...new Set(wishes.map((one) => one.timeframe))];
  const what = names.length
    ? `${names.slice(0, 4).join(", ")}${names.length > 4 ? ` and ${names.length - 4} more` : ""} · ${frames.join(" ")}`
    : run.run_id;
  return h(
    "header",
    { class: "row between" },
    h("h2", null, what),
    h("span", { class: "state", data: { state: run.state } }, STATE[run.state] ?? run.state),
  );
}

function progress(run, now) {
  const most = Math.max(now.requests, now.requests_done, 1);
  const words = `${many(now.requests_done, "request")} of ${count(now.requests)}, ${count(now.jobs_done)} of ${many(now.jobs, "job")}`;
  return h(
    "div",
    { class: "progress" },
    gauge("progressbar", "Requests done", now.requests_done, most),
    h("span", null, words),
    h("span", { class: "quiet" }, run.state === "running" && now.last ? `at ${now.last}` : ""),
  );
}

function why(run, now) {
  if (run.state !== "running" || !now.waiting)
    return h("p", { class: "why" }, run.state === "running" ? "Working." : " ");
  return h(
    "p",
    { class: "why", data: { waiting: "yes" } },
    `Waits ${duration(now.waiting.seconds)}: ${now.waiting.why}`,
  );
}

function figures(run, now, past) {
  const { budget } = now;
  const left = run.state === "running" ? duration(now.seconds_left) : "–";
  return h(
    "div",
    { class: "tiles" },
    tile("Bars", compact(now.bars), `${compact(now.bars_per_second)} a second`, { "data-figure": "bars" }),
    tile(
      "Requests a second",
      (now.requests_per_second ?? 0).toFixed(1),
      sparkline(past.requests, "Requests a second, lately"),
      { "data-figure": "pace" },
    ),
    tile("Bars a second", compact(now.bars_per_second), sparkline(past.bars, "Bars a second, lately"), {
      "data-figure": "speed",
    }),
    budget && budget.calls
      ? tile(
          "Budget used",
          `${budget.used} of ${budget.calls}`,
          [gauge("meter", "Budget used", budget.used, budget.calls), `requests in ${duration(budget.seconds)}`],
          { "data-figure": "budget" },
        )
      : tile("Budget", "no limit", "the plan states none", { "data-figure": "budget" }),
    tile("Time left", left, `runs for ${duration(((run.ended ?? now.at) - run.started) / 1000)}`, {
      "data-figure": "left",
    }),
  );
}

function trouble(now) {
  const errors = Object.entries(now.errors ?? {});
  const outcomes = Object.entries(now.outcomes ?? {});
  const list = (label, pairs, none) =>
    h(
      "div",
      null,
      h("h3", null, label),
      pairs.length
        ? h(
            "ul",
            { class: "counts" },
            pairs.map(([name, number]) => h("li", null, `${name} `, h("b", null, count(number)))),
          )
        : h("p", { class: "quiet" }, none),
    );
  return h(
    "div",
    { class: "two" },
    list("Errors by kind", errors, "None so far."),
    list("Jobs by outcome", outcomes, "None is over yet."),
  );
}

function ending(run) {
  const { report } = run;
  if (run.state === "running") return null;
  const words = report
    ? report.error
      ? report.error
      : `${report.completed} of ${many(report.jobs, "job")} complete, ${many(report.gaps, "gap")}, in ${duration(report.seconds)}.`
    : "It left no report.";
  return h(
    "p",
    { class: "ending", data: { good: report && !report.error && !report.gaps ? "yes" : "no" } },
    words,
    " ",
    h("a", { href: link("store", ["runs", run.run_id]) }, "Its report"),
  );
}
