// What is odd about stored bars, and what the vendor changed of them afterwards.

import { ask, askStore, path } from "../api.js";
import { command, curl, elsewhere, python } from "../copy.js";
import { h } from "../dom.js";
import { count, day, DAY, many, moment, price } from "../format.js";
import { choice, field, head, piecemeal, table } from "../parts.js";
import { go, link } from "../route.js";
import { empty, nothingYet } from "../states.js";

const LATELY = 90 * DAY;
const NUMBERS = ["open", "high", "low", "close", "volume", "vwap", "trades"];

export async function show(at, signal) {
  const store = await askStore(signal);
  const { symbols } = store.exists ? await ask("v1/symbols", {}, signal) : { symbols: [] };
  if (!symbols.length) return h("div", null, head("Quality"), nothingYet(store));
  return at.parts[0] === "revisions" ? showRevisions(at, symbols, signal) : showFlags(at, symbols, signal);
}

function tabs(current) {
  const tab = (name, href) => h("a", { href, "aria-current": name === current ? "page" : null }, name);
  return h(
    "nav",
    { class: "subtabs", "aria-label": "Quality" },
    tab("Findings", link("quality")),
    tab("Revisions", link("quality", ["revisions"])),
  );
}

async function showFlags(at, symbols, signal) {
  const last = Math.max(...symbols.flatMap((one) => one.bases.map((base) => base.last ?? 0)), 0);
  const symbol = at.query.get("symbol") ?? "";
  const start = at.query.get("start") ?? day(last - LATELY);
  const end = at.query.get("end") ?? "";
  const rule = at.query.get("rule") ?? "";
  const params = { symbols: symbol, start, end };
  const { flags, rules } = await ask("v1/quality", params, signal);
  const found = flags.filter((flag) => !rule || flag.rule === rule);
  const set = (more) => go(link("quality", [], { symbol, start, end, rule, ...more }));
  const controls = [
    choice("Symbol", [["", "all"], ...symbols.map((one) => [one.symbol, one.symbol])], symbol, (value) =>
      set({ symbol: value }),
    ),
    field("From", { type: "date", value: start, onchange: (event) => set({ start: event.target.value }) }),
    choice("Rule", [["", "all"], ...Object.keys(rules).map((name) => [name, name])], rule, (value) =>
      set({ rule: value }),
    ),
  ];
  const sentence = `${many(found.length, "flag")} since ${start}. A flag is no verdict: no bar is hidden or changed for it.`;
  const body = found.length ? piecemeal(found, flagRows) : empty("No flags", "No rule found anything odd here.");
  const ways = {
    CLI: command("quality", symbol ? [symbol] : [], { start, end, rule }),
    Python: python("quality", symbol ? [[symbol]] : [], { start, end }),
    HTTP: curl("v1/quality", params),
  };
  return h(
    "div",
    null,
    tabs("Findings"),
    head("Quality", sentence, controls),
    summary(flags, rules, rule, set),
    body,
    elsewhere(ways),
  );
}

function summary(flags, rules, chosen, set) {
  const items = Object.entries(rules).map(([name, words]) => {
    const number = flags.filter((flag) => flag.rule === name).length;
    return h(
      "button",
      {
        type: "button",
        class: "chip",
        title: words,
        "aria-pressed": String(name === chosen),
        onclick: () => set({ rule: name === chosen ? "" : name }),
      },
      `${name} `,
      h("b", null, count(number)),
    );
  });
  return h("div", { class: "chips", role: "group", "aria-label": "Rules" }, items);
}

function flagRows(flags) {
  const columns = [
    ["", "Symbol"],
    ["", "From (UTC)"],
    ["", "Rule"],
    ["wide", "What is odd"],
    ["", "Look"],
  ];
  const list = table(
    "Flags",
    columns,
    flags.map((flag) => [
      h("span", null, h("b", null, flag.symbol), ` ${flag.base}`),
      moment(flag.start),
      h("b", { class: "tag" }, flag.rule),
      flag.reason,
      h(
        "a",
        {
          href: link("chart", [flag.symbol, flag.base], {
            start: flag.start - around(flag),
            end: flag.end + around(flag),
          }),
          "aria-label": `Candles of ${flag.symbol} at ${moment(flag.start)}`,
        },
        "Candles",
      ),
    ]),
  );
  list.classList.add("cards");
  return list;
}

const around = (flag) => (flag.base === "1m" ? 3 * 3_600_000 : 30 * DAY);

async function showRevisions(at, symbols, signal) {
  const symbol = at.parts[1] ?? symbols[0].symbol;
  const timeframe = at.query.get("timeframe") ?? "1d";
  const where = path("revisions", symbol);
  const { revisions } = await ask(where, { timeframe }, signal);
  const set = (name, base) => go(link("quality", ["revisions", name], { timeframe: base }));
  const controls = [
    choice(
      "Symbol",
      symbols.map((one) => [one.symbol, one.symbol]),
      symbol,
      (name) => set(name, timeframe),
    ),
    choice(
      "Bars",
      [
        ["1d", "days"],
        ["1m", "minutes"],
      ],
      timeframe,
      (base) => set(symbol, base),
    ),
  ];
  const rows = revisions.flatMap(revisionRows);
  const columns = [
    ["", "Bar (UTC)"],
    ["", "Written (UTC)"],
    ["", "What"],
    ["number", "Old"],
    ["number", "New"],
    ["", "Then"],
  ];
  const body = rows.length
    ? piecemeal(rows, (some) => table("Revisions", columns, some))
    : empty(
        "Nothing was changed afterwards",
        `What the vendor changes of ${symbol} after it was stored is kept and listed here; the old numbers stay readable.`,
      );
  const ways = {
    CLI: command("revisions", [symbol], { timeframe }),
    Python: python("revisions", [symbol, timeframe]),
    HTTP: curl(where, { timeframe }),
  };
  return h(
    "div",
    null,
    tabs("Revisions"),
    head("Revisions", `What the vendor changed of ${symbol} after its bars were stored.`, controls),
    body,
    elsewhere(ways),
  );
}

function revisionRows(one) {
  const when = [moment(one.ts), moment(one.written)];
  const final = one.final ? "was given as final" : "";
  if (!one.old) return [[...when, "came late", "–", price(one.new.close), final]];
  if (!one.new) return [[...when, "withdrawn", price(one.old.close), "–", final]];
  return NUMBERS.filter((name) => one.old[name] !== one.new[name]).map((name) => [
    ...when,
    name,
    price(one.old[name]),
    price(one.new[name]),
    final,
  ]);
}
