// One day of one series, minute by minute: a line for each hour, cut where the state changes.

import { ask, path } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { fill, h } from "../dom.js";
import { ahead, count, day as dayOf, HOUR, many, MINUTE, moment, place, time } from "../format.js";
import { legend, MINUTES } from "../marks.js";
import { head, piecemeal, table, walkable } from "../parts.js";
import { link } from "../route.js";
import { trail } from "./trail.js";

export async function showMinutes(symbol, base, date, signal) {
  const end = new Date(Date.parse(date) + 24 * HOUR).toISOString().slice(0, 10);
  const before = new Date(Date.parse(date) - 24 * HOUR).toISOString().slice(0, 10);
  const where = path("coverage", symbol);
  const params = { timeframe: base, by: "minute", start: date, end };
  const [cover, { zone }] = await Promise.all([
    ask(where, params, signal),
    ask(path("sessions", symbol), { start: date, end }, signal),
  ]);
  const pieces = cover.stretches;
  const panel = h(
    "section",
    { class: "panel explain", "aria-live": "polite" },
    h("p", { class: "quiet" }, "Choose a stretch to see what is known of it, and from which answer of the vendor."),
  );
  const explain = (instant) => explained(panel, symbol, base, instant, zone, signal);
  const rows = base === "1m" ? hours(pieces, zone) : [];
  const grid = h(
    "div",
    { class: "hours", role: "group", "aria-label": `Minutes of ${date}, ${place(zone)} time` },
    rows.map((row) => line(row, zone, explain)),
  );
  walkable(grid, "button.piece");
  const steps = [
    h("a", { class: "step", href: link("completeness", [symbol, base, before]), "aria-label": "The day before" }, "‹"),
    h("a", { class: "step", href: link("completeness", [symbol, base, end]), "aria-label": "The day after" }, "›"),
    h(
      "a",
      { class: "button", href: link("chart", [symbol, base === "1m" ? "1m" : "1d"], { start: date, end }) },
      "Candles",
    ),
  ];
  if (base !== "1m" && pieces.length) explain(pieces[0].start);
  return h(
    "div",
    null,
    trail(symbol, base, date),
    head(`${symbol} ${base} on ${date}`, base === "1m" && sentence(pieces, zone), steps),
    grid,
    rows.length > 0 && legend(MINUTES),
    panel,
    rows.length > 0 && told(pieces, zone),
    elsewhere(ways(symbol, base, date, where, params)),
  );
}

function sentence(pieces, zone) {
  const length = (state) =>
    pieces.filter((one) => one.state === state).reduce((sum, one) => sum + one.end - one.start, 0) / MINUTE;
  const said = [
    ["bars", "with a bar"],
    ["no trade", "proved without a trade"],
    ["provisional", "provisional"],
    ["missing", "missing"],
  ];
  const words = said
    .filter(([state]) => length(state))
    .map(([state, name]) => `${many(length(state), "minute")} ${name}`);
  return words.length
    ? `${words.join(", ")}. Times are ${place(zone)} time.`
    : "The market was closed all day, or nothing was asked for.";
}

/** The pieces cut at full hours of the zone; hours of closed market at both ends are left out. */
function hours(pieces, zone) {
  const rows = new Map();
  for (const piece of pieces) {
    const shift = ahead(piece.start, zone);
    for (let at = piece.start; at < piece.end;) {
      const end = Math.min(piece.end, Math.floor((at + shift) / HOUR) * HOUR + HOUR - shift);
      const key = Math.floor((at + shift) / HOUR);
      if (!rows.has(key)) rows.set(key, []);
      rows.get(key).push({ ...piece, start: at, end, whole: piece });
      at = end;
    }
  }
  const all = [...rows.values()];
  const open = (row) => row.some((piece) => piece.state !== "closed");
  const first = all.findIndex(open);
  return first < 0 ? [] : all.slice(first, all.findLastIndex(open) + 1);
}

function line(pieces, zone, explain) {
  const parts = pieces.map((piece) => {
    const minutes = (piece.end - piece.start) / MINUTE;
    const words = `${time(piece.start, zone)} to ${time(piece.end, zone)}: ${MINUTES[piece.state]?.[1] ?? piece.state}${piece.reason ? ` (${piece.reason})` : ""}`;
    return h(
      "button",
      {
        type: "button",
        class: "piece",
        title: words,
        "aria-label": words,
        data: { state: piece.state, ...(minutes < 3 ? { short: "" } : {}) },
        css: { "flex-grow": String(minutes) },
        onclick: () => explain(piece.start),
      },
      MINUTES[piece.state]?.[0],
    );
  });
  return h(
    "div",
    { class: "hour" },
    h("span", { class: "clock" }, time(pieces[0].start, zone)),
    h("div", { class: "line" }, parts),
  );
}

/** The same in words, for who does not see colours. */
function told(pieces, zone) {
  const columns = [
    ["", "From"],
    ["", "To"],
    ["number", "Minutes"],
    ["", "State"],
    ["wide", "Why"],
  ];
  const rows = pieces.map((one) => [
    moment(one.start, zone),
    dayOf(one.end, zone) === dayOf(one.start, zone) ? time(one.end, zone) : moment(one.end, zone),
    count((one.end - one.start) / MINUTE),
    h("span", null, h("span", { class: "mark", data: { state: one.state } }, MINUTES[one.state]?.[0]), ` ${one.state}`),
    [one.reason, one.due ? ` Asked again at ${moment(one.due)} UTC.` : ""],
  ]);
  return h(
    "details",
    { class: "panel" },
    h("summary", null, `As a list: ${many(rows.length, "stretch", "stretches")}`),
    piecemeal(rows, (some) => table("Stretches of the day", columns, some)),
  );
}

async function explained(panel, symbol, base, instant, zone, signal) {
  try {
    const said = await ask(path("explain", symbol), { timeframe: base, at: instant }, signal);
    fill(
      panel,
      h("h2", null, `${moment(instant, zone)}: ${said.verdict}`),
      said.sentences.map((words) => h("p", null, words)),
      said.digest && h("p", { class: "quiet small" }, `SHA-256 of the answer: ${said.digest}`),
    );
  } catch (error) {
    if (error.name !== "AbortError")
      fill(panel, h("p", { class: "wrong" }, error.message), error.hint && h("p", { class: "quiet" }, error.hint));
  }
}

function ways(symbol, base, date, where, params) {
  return {
    CLI: command("explain", [symbol, date], { timeframe: base }),
    Python: python("explain", [symbol, base, date]),
    HTTP: curl(where, params),
  };
}
