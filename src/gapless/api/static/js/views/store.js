// The store itself: how large, how fresh, what is in it, and the runs that filled it with their reports.

import { ask, askStore, path } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { h } from "../dom.js";
import { ago, bytes, compact, count, day, duration, inOrder, many, moment } from "../format.js";
import { gauge, head, piecemeal, table, tile } from "../parts.js";
import { link } from "../route.js";
import { nothingYet } from "../states.js";

export async function show(at, signal) {
  if (at.parts[0] === "runs" && at.parts[1]) return showRun(at.parts[1], signal);
  const store = await askStore(signal);
  if (!store.exists) return h("div", null, head("Store"), nothingYet(store));
  const [{ symbols }, { runs }] = await Promise.all([
    ask("v1/symbols", {}, signal),
    ask("v1/runs", { limit: 50 }, signal),
  ]);
  const ways = { CLI: command("doctor"), Python: python("store.size"), HTTP: curl("v1/store") };
  return h(
    "div",
    null,
    head("Store", `${store.store}, ${store.kind}, served by gapless ${store.version}.`),
    tiles(store),
    h("h2", null, "Runs"),
    runList(runs),
    h("h2", null, "What is in it"),
    piecemeal(symbols, symbolList),
    elsewhere(ways),
  );
}

function tiles(store) {
  return h(
    "div",
    { class: "tiles" },
    tile(
      "Size",
      bytes(store.bytes),
      store.bars ? `${(store.bytes / store.bars).toFixed(1)} bytes a bar, all told` : "",
    ),
    tile("Bars", compact(store.bars), many(store.series, "series", "series")),
    tile(
      "Last success",
      ago(store.last_success),
      store.last_success ? `${moment(store.last_success)} UTC` : "no run left everything whole yet",
      { "data-tone": store.last_success ? "good" : "warn" },
    ),
    tile("Last write", ago(store.last_write), store.last_write ? `${moment(store.last_write)} UTC` : ""),
    tile("Gaps", h("a", { href: link("gaps") }, count(store.gaps)), store.gaps ? "see why" : "nothing is missing", {
      "data-tone": store.gaps ? "warn" : "good",
    }),
  );
}

function symbolList(symbols) {
  const columns = [
    ["", "Symbol"],
    ["", "Asked for"],
    ["", "Base"],
    ["number", "Bars"],
    ["", "First"],
    ["", "Last"],
    ["number", "Size"],
  ];
  const rows = symbols.flatMap((one) => {
    const named = [h("a", { href: link("chart", [one.symbol]) }, one.symbol), inOrder(one.timeframes).join(" ")];
    if (!one.bases.length) return [[...named, "–", "0", "–", "–", "–"]];
    return one.bases.map((base, at) => [
      ...(at ? ["", ""] : named),
      base.base,
      count(base.bars),
      base.first ? day(base.first) : "–",
      base.last ? day(base.last) : "–",
      bytes(base.stored_bytes),
    ]);
  });
  return table("Symbols", columns, rows);
}

function runList(runs) {
  if (!runs.length) return h("p", { class: "quiet" }, "No run yet.");
  const columns = [
    ["", "Began (UTC)"],
    ["", "State"],
    ["number", "Jobs"],
    ["number", "Requests"],
    ["number", "Bars"],
    ["number", "Took"],
    ["", "Look"],
  ];
  return table(
    "Runs",
    columns,
    runs.map((run) => [
      moment(run.started),
      outcome(run),
      run.report ? `${run.report.completed} of ${run.report.jobs}` : "–",
      run.report ? `${run.report.requests} (ideal ${run.report.ideal_requests})` : "–",
      run.report ? compact(run.report.bars) : compact(run.progress?.bars),
      run.report ? duration(run.report.seconds) : "–",
      h(
        "a",
        {
          href: run.state === "running" ? link("live") : link("store", ["runs", run.run_id]),
          "aria-label": `Report of ${run.run_id}`,
        },
        run.state === "running" ? "Watch" : "Report",
      ),
    ]),
  );
}

function outcome(run) {
  const { report } = run;
  const [state, words] =
    run.state !== "ended" || !report
      ? [run.state, run.state === "ended" ? "no report" : run.state]
      : report.error
        ? ["error", "stopped early"]
        : report.completed === report.jobs
          ? ["whole", "whole"]
          : ["gaps", "gaps remain"];
  return h("b", { class: "tag", data: { outcome: state } }, words);
}

async function showRun(id, signal) {
  const run = await ask(path("runs", id), {}, signal);
  const { report } = run;
  const back = h(
    "nav",
    { class: "trail", "aria-label": "Where you are" },
    h(
      "ol",
      null,
      h("li", null, h("a", { href: link("store") }, "Store")),
      h("li", null, h("a", { href: link("store", ["runs", id]), "aria-current": "page" }, `Run ${id}`)),
    ),
  );
  const ways = { CLI: command("status"), Python: python("store.runs"), HTTP: curl(path("runs", id)) };
  const sentence = `${moment(run.started)} to ${run.ended ? moment(run.ended) : "now"} UTC.`;
  if (!report)
    return h(
      "div",
      null,
      back,
      head("Run", sentence),
      h(
        "p",
        null,
        run.state === "running"
          ? h("a", { href: link("live") }, "It goes on: watch it.")
          : "It ended without a report.",
      ),
      elsewhere(ways),
    );
  return h(
    "div",
    null,
    back,
    head("Run", sentence),
    report.error && h("div", { class: "panel wrong" }, h("b", null, report.error), h("p", null, report.error_hint)),
    runTiles(report),
    h("div", { class: "two" }, limits(report), targets(report)),
    problems(report),
    elsewhere(ways),
  );
}

function runTiles(report) {
  return h(
    "div",
    { class: "tiles" },
    tile("Jobs", `${report.completed} of ${report.jobs}`, `${report.failed} failed, ${report.refused} refused`, {
      "data-tone": report.completed === report.jobs ? "good" : "warn",
    }),
    tile("Bars", compact(report.bars), `${compact(report.inserted)} new, ${compact(report.corrected)} corrected`),
    tile("Requests", count(report.requests), `${report.estimated_requests} estimated, ${report.ideal_requests} ideal`),
    tile("Took", duration(report.seconds), `${duration(report.estimated_seconds)} estimated`),
    tile("Bars a second", compact(report.rows_per_second), `${bytes(report.wire_bytes)} over the wire`),
    tile("Gaps", count(report.gaps), report.next_try ? `asked again ${moment(report.next_try)}` : ""),
  );
}

function limits(report) {
  const shares = Object.entries(report.limited_by ?? {}).filter(([, share]) => share >= 0.005);
  const bar = ([name, share]) =>
    h("li", null, h("span", null, name), gauge("meter", name, share, 1), h("b", null, `${Math.round(100 * share)} %`));
  return h(
    "section",
    { class: "panel" },
    h("h2", null, "What limited it"),
    shares.length ? h("ul", { class: "bars" }, shares.map(bar)) : h("p", { class: "quiet" }, "Nothing to speak of."),
  );
}

function targets(report) {
  const rows = Object.entries(report.targets ?? {}).map(([name, one]) => [
    name,
    one.here,
    h("b", { class: "tag", data: { outcome: one.met ? "whole" : "gaps" } }, one.met ? "met" : "missed"),
  ]);
  return h(
    "section",
    { class: "panel" },
    h("h2", null, "Targets"),
    table(
      "Targets",
      [
        ["", "Target"],
        ["number", "Here"],
        ["", "Met"],
      ],
      rows,
    ),
  );
}

function problems(report) {
  const retries = Object.entries(report.retries ?? {});
  if (!report.problems.length && !retries.length) return null;
  return h(
    "section",
    { class: "panel" },
    h("h2", null, "Problems"),
    retries.length > 0 &&
      h("p", null, `Asked again: ${retries.map(([name, number]) => `${number} ${name}`).join(", ")}.`),
    h(
      "ul",
      null,
      report.problems.map((words) => h("li", null, words)),
    ),
  );
}
