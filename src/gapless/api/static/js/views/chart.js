// Candles of one symbol: every timeframe, what is missing shaded, provisional bars hollow, sessions and splits marked.

import { ask, askStore, path } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { h } from "../dom.js";
import { DAY, FRAMES, HOUR, inOrder, many, moment, place, stamp } from "../format.js";
import { choice, field, head } from "../parts.js";
import { go, link } from "../route.js";
import { empty, nothingYet } from "../states.js";
import { drawCandles } from "../chart/candles.js";

/** How long a stretch is shown at first: some hundred bars. */
const REACH = {
  "1m": DAY,
  "5m": 4 * DAY,
  "15m": 10 * DAY,
  "30m": 20 * DAY,
  "1h": 40 * DAY,
  "2h": 80 * DAY,
  "4h": 150 * DAY,
  "1d": 500 * DAY,
  "1w": 2000 * DAY,
  "1mo": 8000 * DAY,
};

export async function show(at, signal) {
  const store = await askStore(signal);
  const { symbols } = store.exists ? await ask("v1/symbols", {}, signal) : { symbols: [] };
  if (!symbols.length) return h("div", null, head("Candles"), nothingYet(store));
  const asked = wanted(at, symbols);
  const [bars, sessions, acts] = await read(asked, signal);
  const box = h("div", {
    class: "chart",
    tabindex: "0",
    role: "application",
    "aria-label": `Candles of ${asked.symbol}, ${asked.timeframe}; arrow keys go from bar to bar`,
  });
  const note = h("p", { class: "readout", "aria-live": "polite" });
  const view = h(
    "div",
    null,
    head(`${asked.symbol} ${asked.timeframe}`, sentence(bars, sessions), controls(asked, symbols)),
    frames(asked),
    bars.columns.ts.length ? [note, h("div", { class: "chartbox" }, box)] : nothing(asked, bars),
    paging(asked),
    key(bars, acts),
    elsewhere(ways(asked, bars)),
  );
  if (bars.columns.ts.length)
    view.addEventListener("drawn", () =>
      drawCandles(box, { asked, bars, sessions, actions: acts.actions, note, signal }),
    );
  return view;
}

/** What the address asks for, with what it leaves out filled in from what is stored. */
function wanted(at, symbols) {
  const symbol = at.parts[0] ?? symbols[0].symbol;
  const stored = symbols.find((one) => one.symbol === symbol);
  const timeframe = FRAMES.includes(at.parts[1]) ? at.parts[1] : (inOrder(stored?.timeframes ?? [])[0] ?? "1d");
  const base = /d|w|mo/.test(timeframe) ? "1d" : "1m";
  const held = stored?.bases.find((one) => one.base === base) ?? stored?.bases[0];
  const query = Object.fromEntries(
    ["start", "end", "session", "adjust"].map((name) => [name, at.query.get(name) ?? ""]),
  );
  for (const name of ["start", "end"]) if (!Number.isFinite(instant(query[name]))) query[name] = "";
  const reach = REACH[timeframe];
  const last = (held?.last ?? Date.now()) + (base === "1d" ? DAY : HOUR);
  const end = query.end || (query.start ? instant(query.start) + reach : last);
  const start = query.start || Math.max(instant(end) - reach, query.end ? 0 : (held?.first ?? 0));
  return { symbol, timeframe, base, query, session: query.session || "all", adjust: query.adjust, start, end };
}

/** Unix ms of a moment in an address: a number already, or a date, here taken as UTC. */
function instant(text) {
  return /^\d{9,}$/.test(text) ? Number(text) : Date.parse(text);
}

function read({ symbol, timeframe, start, end, session, adjust }, signal) {
  return Promise.all([
    ask(
      path("bars", symbol),
      {
        timeframe,
        start,
        end,
        session: session === "all" ? "" : session,
        adjust,
        on_gap: "mark",
        provisional: "true",
        limit: 20_000,
      },
      signal,
    ),
    ask(path("sessions", symbol), lately(start, end), signal),
    ask(path("actions", symbol), {}, signal),
  ]);
}

/** The stretch cut to ten years, as much as a calendar answers at once, and to what has a calendar by now. */
function lately(start, end) {
  const until = Math.min(instant(end), Date.now() + 30 * DAY);
  return { start: Math.max(instant(start), until - 3650 * DAY), end: until };
}

function sentence(bars, { zone }) {
  const { ts, final } = bars.columns;
  if (!ts.length) return "";
  const open = final.filter((one) => !one).length;
  const words = [
    `${many(ts.length, "bar")} from ${stamp(ts[0], zone, bars.timeframe)} to ${stamp(ts.at(-1), zone, bars.timeframe)}, ${place(zone)} time`,
  ];
  if (open) words.push(`${open} provisional`);
  if (bars.next) words.push("more than fit in one answer: the rest is not shown");
  if (bars.gaps.length) words.push(`${many(bars.gaps.length, "gap")}`);
  return `${words.join("; ")}.`;
}

function controls(asked, symbols) {
  const set = (more, symbol = asked.symbol) =>
    go(link("chart", [symbol, asked.timeframe], { ...asked.query, ...more }));
  const id = "symbols-known";
  const known = h(
    "datalist",
    { id },
    symbols.slice(0, 2000).map((one) => h("option", { value: one.symbol })),
  );
  return [
    known,
    field("Symbol", {
      value: asked.symbol,
      list: id,
      size: 9,
      onchange: (event) => event.target.value && set({}, event.target.value.trim()),
    }),
    choice(
      "Session",
      [
        ["all", "all hours"],
        ["regular", "regular"],
        ["pre", "before"],
        ["post", "after"],
      ],
      asked.session,
      (session) => set({ session: session === "all" ? "" : session }),
    ),
    choice(
      "Adjust",
      [
        ["", "as traded"],
        ["splits", "for splits"],
        ["all", "splits, dividends"],
      ],
      asked.adjust,
      (adjust) => set({ adjust }),
    ),
  ];
}

function frames(asked) {
  const { session, adjust } = asked.query;
  return h(
    "nav",
    { class: "frames", "aria-label": "Timeframes" },
    FRAMES.map((frame) =>
      h(
        "a",
        {
          href: link("chart", [asked.symbol, frame], { session, adjust }),
          "aria-current": frame === asked.timeframe ? "true" : null,
        },
        frame,
      ),
    ),
  );
}

function paging(asked) {
  const [start, end] = [instant(asked.start), instant(asked.end)];
  const long = end - start;
  const { session, adjust } = asked.query;
  const to = (from, until) =>
    link("chart", [asked.symbol, asked.timeframe], { start: from, end: until, session, adjust });
  return h(
    "nav",
    { class: "row between", "aria-label": "Time" },
    h("a", { class: "step", href: to(start - long, start) }, "‹ Earlier"),
    h("a", { class: "step", href: link("chart", [asked.symbol, asked.timeframe], { session, adjust }) }, "Latest"),
    h("a", { class: "step", href: to(end, end + long) }, "Later ›"),
  );
}

function nothing(asked, bars) {
  const told = bars.gaps[0];
  return told
    ? empty(
        "These bars are missing",
        told.reason,
        command("backfill", [asked.symbol], {
          timeframe: asked.timeframe,
          start: new Date(instant(asked.start)).toISOString().slice(0, 10),
        }),
      )
    : empty(
        "No bars here",
        "The market was closed, or nothing traded. Another stretch or another session may have some.",
      );
}

function key(bars, { actions }) {
  const items = [
    ["up", "rose"],
    ["down", "fell"],
    ["hollow", "provisional"],
    ["gap", "missing: point at it for the reason"],
    ["pre", "before or after hours"],
  ];
  const list = h(
    "ul",
    { class: "legend", "aria-label": "Legend" },
    items.map(([kind, words]) => h("li", null, h("span", { class: "swatch", data: { kind } }), words)),
    actions.some((one) => one.kind === "split" && one.at >= bars.columns.ts[0]) &&
      h("li", null, h("b", null, "S"), " split"),
  );
  const credit = h(
    "p",
    { class: "quiet small" },
    "Charts by ",
    h(
      "a",
      { href: "https://www.tradingview.com/", rel: "noopener noreferrer", target: "_blank" },
      "TradingView Lightweight Charts™",
    ),
    ", © TradingView, Inc.",
  );
  const gaps = bars.gaps.length
    ? h(
        "details",
        { class: "panel" },
        h("summary", null, many(bars.gaps.length, "gap"), " in words"),
        h(
          "ul",
          null,
          bars.gaps
            .slice(0, 200)
            .map((gap) =>
              h("li", null, `${moment(gap.start)} to ${moment(gap.end)} UTC: ${gap.reason || gap.outcome}`),
            ),
        ),
      )
    : null;
  return h("div", null, h("div", { class: "row between" }, list, credit), gaps);
}

/** What is drawn has what is missing left out, and bars that can still change: said only where there are some. */
function ways(asked, bars) {
  const minute = (at) => (/^\d+$/.test(at) ? `${new Date(Number(at)).toISOString().slice(0, 16)}Z` : at);
  const { symbol, timeframe, adjust } = asked;
  const session = asked.session === "all" ? "" : asked.session;
  const [start, end] = [minute(asked.start), minute(asked.end)];
  const mark = bars.gaps.length ? "mark" : "";
  const provisional = bars.columns.final.includes(false);
  const view = { session, adjust, on_gap: mark, provisional: provisional || "" };
  return {
    CLI: command("bars", [symbol], {
      timeframe,
      start,
      end,
      session,
      adjust,
      "on-gap": mark,
      provisional: view.provisional,
    }),
    Python: python("bars", [symbol, timeframe, start, end], view),
    HTTP: curl(path("bars", symbol), { timeframe, start, end, ...view }),
  };
}
