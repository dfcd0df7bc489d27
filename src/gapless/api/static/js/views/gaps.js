// What is missing, why, when it is asked again, and what gets it now.

import { ask, askStore, hasToken, order } from "../api.js";
import { command, copyButton, curl, elsewhere, python } from "../copy.js";
import { h } from "../dom.js";
import { DAY, duration, HOUR, many, moment } from "../format.js";
import { choice, field, head, piecemeal, table } from "../parts.js";
import { go, link } from "../route.js";
import { say } from "../say.js";
import { empty, nothingYet } from "../states.js";
import { askToken } from "../token.js";

const WORDS = {
  unasked: "never asked for",
  failed: "failed",
  suspect: "failed a check",
  refused: "refused by the plan",
  unconfirmed: "asked once, none",
  lost: "was damaged",
};

export async function show(at, signal) {
  const store = await askStore(signal);
  const { gaps } = store.exists ? await ask("v1/gaps", {}, signal) : { gaps: [] };
  if (!store.exists || !store.series) return h("div", null, head("Gaps"), nothingYet(store));
  if (!gaps.length)
    return h(
      "div",
      null,
      head("Gaps"),
      empty("No gaps", "Of every instant that was asked for it is known what is there."),
      elsewhere(ways("")),
    );
  const symbol = at.query.get("symbol") ?? "";
  const outcome = at.query.get("outcome") ?? "";
  const found = gaps.filter(
    (gap) => gap.symbol.toLowerCase().includes(symbol.toLowerCase()) && (!outcome || gap.outcome === outcome),
  );
  const kinds = [...new Set(gaps.map((gap) => gap.outcome))].map((kind) => [kind, WORDS[kind] ?? kind]);
  const set = (more) => go(link("gaps", [], { symbol, outcome, ...more }));
  const controls = [
    field("Find", {
      type: "search",
      value: symbol,
      placeholder: "Symbol",
      onchange: (event) => set({ symbol: event.target.value }),
    }),
    choice("Why", [["", "any reason"], ...kinds], outcome, (kind) => set({ outcome: kind })),
  ];
  const symbols = new Set(found.map((gap) => gap.symbol)).size;
  const sentence = `${many(found.length, "stretch is", "stretches are")} missing in ${many(symbols, "symbol")}. Times are UTC.`;
  return h(
    "div",
    null,
    head("Gaps and repairs", sentence, controls),
    cure(store, symbol ? [...new Set(found.map((gap) => gap.symbol))] : []),
    piecemeal(found, (some) => rows(some)),
    elsewhere(ways(symbol)),
  );
}

function rows(gaps) {
  const columns = [
    ["", "Symbol"],
    ["", "From"],
    ["", "To"],
    ["wide", "Why"],
    ["", "Asked again"],
    ["", "Look"],
  ];
  const list = table("Gaps", columns, gaps.map(row));
  list.classList.add("cards");
  return list;
}

function row(gap) {
  const day = new Date(gap.start).toISOString().slice(0, 10);
  const why = h(
    "span",
    null,
    h("b", { class: "tag", data: { outcome: gap.outcome } }, WORDS[gap.outcome] ?? gap.outcome),
    gap.reason && gap.reason !== WORDS[gap.outcome] ? ` ${gap.reason}` : "",
  );
  return [
    h("span", null, h("b", null, gap.symbol), ` ${gap.base}`),
    moment(gap.start),
    h("span", null, moment(gap.end), h("small", { class: "quiet" }, ` ${duration((gap.end - gap.start) / 1000)}`)),
    why,
    gap.outcome === "refused" ? "not on this plan" : gap.due ? moment(gap.due) : "with the next run",
    h(
      "a",
      {
        href: link("chart", [gap.symbol, gap.base], { start: gap.start - (gap.base === "1m" ? 3 * HOUR : 60 * DAY) }),
        "aria-label": `Candles of ${gap.symbol} around ${day}`,
      },
      "Candles",
    ),
  ];
}

/** A button where the server may write, else the command. */
function cure(store, symbols) {
  const words = command("repair", symbols);
  if (!store.writes) return h("p", { class: "cure" }, "To ask again now: ", copyButton(words));
  const button = h(
    "button",
    { type: "button", class: "strong", onclick: () => repair(button, symbols) },
    symbols.length ? `Repair ${many(symbols.length, "symbol")}` : "Repair all",
  );
  return h("p", { class: "cure" }, button, " or ", copyButton(words));
}

async function repair(button, symbols) {
  button.disabled = true;
  try {
    if (await ordered(symbols)) return go(link("live"));
  } catch (error) {
    say(error.hint ? `${error.message} ${error.hint}` : error.message);
  }
  button.disabled = false;
}

/** Start it, asking for the token until it is the right one; false where nobody gave one. */
async function ordered(symbols) {
  let why = hasToken() ? "" : "Starting a run needs the token of the server.";
  for (;;) {
    if (why && !(await askToken(why))) return false;
    try {
      await order("v1/repair", symbols.length ? { symbols } : {});
      return true;
    } catch (error) {
      if (error.status !== 401) throw error;
      why = error.message;
    }
  }
}

function ways(symbol) {
  const names = symbol ? [symbol] : [];
  return {
    CLI: command("gaps", names),
    Python: python("gaps", names.length ? [names] : []),
    HTTP: curl("v1/gaps", { symbols: symbol }),
  };
}
