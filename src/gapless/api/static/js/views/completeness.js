// Completeness: a row for each symbol and base, a cell for each month; a cell leads to its days, a day to its minutes.

import { ask, askStore } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { fill, h } from "../dom.js";
import { compact, inOrder, many, percent } from "../format.js";
import { legend, STATES } from "../marks.js";
import { choice, field, head, piecemeal, tile, walkable } from "../parts.js";
import { link } from "../route.js";
import { nothingYet } from "../states.js";
import { showDays } from "./days.js";
import { showMinutes } from "./minutes.js";

const ROWS = 60;

export async function show(at, signal) {
  const [symbol, base, when] = at.parts;
  if (/^\d{4}-\d\d-\d\d$/.test(when ?? "")) return showMinutes(symbol, base, when, signal);
  if (/^\d{4}-\d\d$/.test(when ?? "")) return showDays(symbol, base, when, signal);
  return showMatrix(at, signal);
}

async function showMatrix(at, signal) {
  const store = await askStore(signal);
  const { series } = store.exists ? await ask("v1/coverage", {}, signal) : { series: [] };
  if (!series.length) return h("div", null, head("Completeness"), nothingYet(store));
  const rows = together(series);
  const box = h("div");
  const state = { filter: at.query.get("filter") ?? "", order: at.query.get("order") ?? "symbol" };
  const draw = () => {
    history.replaceState(
      null,
      "",
      link("completeness", [], { filter: state.filter, order: state.order === "symbol" ? "" : state.order }),
    );
    fill(box, matrix(arranged(rows, state)));
  };
  const controls = [
    field("Find", {
      type: "search",
      value: state.filter,
      placeholder: "Symbol",
      oninput: (event) => draw(Object.assign(state, { filter: event.target.value })),
    }),
    choice(
      "Order",
      [
        ["symbol", "By symbol"],
        ["worst", "Least complete first"],
      ],
      state.order,
      (order) => draw(Object.assign(state, { order })),
    ),
  ];
  draw();
  const view = h(
    "div",
    null,
    head("Completeness", sentence(rows), controls),
    tiles(rows, store),
    box,
    legend(STATES),
    elsewhere(ways()),
  );
  view.addEventListener("drawn", () =>
    view.querySelectorAll(".scroll").forEach((one) => (one.scrollLeft = one.scrollWidth)),
  );
  return view;
}

/** One row for each symbol and base: timeframes of one base are the same bars. */
function together(series) {
  const rows = new Map();
  for (const one of series) {
    const key = `${one.symbol} ${one.base}`;
    const row = rows.get(key);
    if (!row)
      rows.set(key, {
        ...one,
        timeframes: [one.timeframe],
        months: new Map(one.months.map((month) => [month.month, month])),
      });
    else {
      row.timeframes.push(one.timeframe);
      for (const month of one.months)
        if (!row.months.has(month.month) || month.percent < row.months.get(month.month).percent)
          row.months.set(month.month, month);
      for (const name of ["bars", "provisional", "missing_ms"]) row[name] = Math.max(row[name], one[name]);
      row.percent = Math.min(row.percent, one.percent);
    }
  }
  return [...rows.values()];
}

function arranged(rows, { filter, order }) {
  const found = rows.filter((row) => row.symbol.toLowerCase().includes(filter.trim().toLowerCase()));
  return order === "worst" ? found.toSorted((one, other) => one.percent - other.percent) : found;
}

function sentence(rows) {
  const short = rows.filter((row) => row.missing_ms > 0).length;
  return short
    ? `${many(short, "series has", "series have")} something missing; each cell is a month and leads to its days.`
    : "Of everything that was asked for, every minute that the market was open is accounted for.";
}

function tiles(rows, store) {
  const whole = rows.filter((row) => row.missing_ms === 0).length;
  return h(
    "div",
    { class: "tiles" },
    tile("Complete", `${whole} of ${rows.length}`, "series"),
    tile("Bars", compact(store.bars), many(store.series, "stored series", "stored series")),
    tile("Gaps", h("a", { href: link("gaps") }, String(store.gaps)), store.gaps ? "see why" : "nothing is missing", {
      "data-tone": store.gaps ? "warn" : "good",
    }),
  );
}

function months(rows) {
  const named = rows.flatMap((row) => [...row.months.keys()]).sort();
  const found = [];
  for (let at = named[0]; at && at <= named.at(-1); at = next(at)) found.push(at);
  return found;
}

function next(month) {
  const [year, number] = month.split("-").map(Number);
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
}

function matrix(rows) {
  if (!rows.length) return h("p", { class: "quiet" }, "No symbol is spelt so.");
  const columns = months(rows);
  return piecemeal(rows, (some) => grid(some, columns), ROWS);
}

function grid(rows, columns) {
  const heads = columns.map((month) =>
    h(
      "th",
      { scope: "col", class: month.endsWith("-01") ? "year" : "" },
      h("span", null, month.endsWith("-01") || month === columns[0] ? month.slice(0, 4) : ""),
      month.slice(5),
    ),
  );
  const table = h(
    "table",
    {
      class: "heat",
      role: "grid",
      "aria-label": "Completeness by symbol and month",
      css: { "--months": String(columns.length) },
    },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Series"), heads)),
    h(
      "tbody",
      null,
      rows.map((row) =>
        h(
          "tr",
          null,
          rowHead(row),
          columns.map((month) => cell(row, month)),
        ),
      ),
    ),
  );
  walkable(table, "a.cell", [...table.querySelectorAll("tbody tr:first-child a.cell")].at(-1));
  return h("div", { class: "scroll" }, table);
}

function rowHead(row) {
  const done = h("span", { class: "done", "data-tone": row.missing_ms ? "warn" : "" }, percent(row.percent));
  return h(
    "th",
    { scope: "row" },
    h(
      "a",
      {
        href: link("chart", [row.symbol, inOrder(row.timeframes)[0]]),
        title: `Candles of ${row.symbol}; asked for: ${inOrder(row.timeframes).join(", ")}`,
      },
      row.symbol,
    ),
    h("small", null, row.base),
    done,
  );
}

function cell(row, month) {
  const one = row.months.get(month);
  if (!one) return h("td", { role: "gridcell" });
  const words = `${row.symbol} ${row.base}, ${month}: ${STATES[one.state]?.[1] ?? one.state}, ${percent(one.percent)}`;
  const shown = one.state === "partly" ? h("span", { class: "part" }, Math.floor(one.percent)) : null;
  return h(
    "td",
    { role: "gridcell" },
    h(
      "a",
      {
        class: "cell",
        href: link("completeness", [row.symbol, row.base, month]),
        title: words,
        "aria-label": words,
        data: { state: one.state, month },
      },
      one.mark,
      shown,
    ),
  );
}

function ways() {
  return { CLI: command("status"), Python: python("status"), HTTP: curl("v1/coverage") };
}
