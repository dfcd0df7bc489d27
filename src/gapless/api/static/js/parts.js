// Pieces that several views share.

import { h } from "./dom.js";

/** The head of a view: where one is, what it says in one sentence, and what can be set. */
export function head(title, sentence, ...controls) {
  return h(
    "header",
    { class: "head" },
    h("div", null, h("h1", null, title), sentence && h("p", { class: "quiet" }, sentence)),
    controls.length > 0 && h("div", { class: "controls" }, controls),
  );
}

/** A figure with its name, and a word below it. */
export function tile(name, figure, below, props) {
  return h(
    "div",
    { class: "tile", ...props },
    h("span", { class: "name" }, name),
    h("strong", null, figure),
    below && h("small", null, below),
  );
}

/** A bar that is filled as far as `value` of `most`; `role` is meter or progressbar. */
export function gauge(role, label, value, most) {
  const share = Math.min(1, Math.max(0, value / most || 0));
  const said = { role, "aria-label": label, "aria-valuemin": 0, "aria-valuemax": most, "aria-valuenow": value };
  return h("span", { class: "gauge", ...said }, h("i", { css: { width: `${100 * share}%` } }));
}

/** A choice; `choices` are pairs of value and words. */
export function choice(label, choices, chosen, onpick) {
  const options = choices.map(([value, words]) => h("option", { value, selected: value === chosen }, words));
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h("select", { onchange: (event) => onpick(event.target.value) }, options),
  );
}

/** A field that is filled in. */
export function field(label, props) {
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h("input", { autocomplete: "off", spellcheck: "false", ...props }),
  );
}

/** A table; `columns` are pairs of class and name, `rows` lists of cells. It scrolls sideways by itself. */
export function table(label, columns, rows) {
  const heads = columns.map(([kind, name]) => h("th", { scope: "col", class: kind }, name));
  const body = rows.map((cells) =>
    h(
      "tr",
      null,
      cells.map((cell, at) => h("td", { class: columns[at][0], "data-label": columns[at][1] }, cell)),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", { class: "list" }, h("thead", null, h("tr", null, heads)), h("tbody", null, body)),
  );
}

/** The first rows of a long list, and a button for the next ones. */
export function piecemeal(items, draw, step = 200) {
  const box = h("div");
  function show(most) {
    box.replaceChildren(draw(items.slice(0, most)));
    if (most < items.length) {
      const words = `Show ${Math.min(step, items.length - most)} more of ${items.length}`;
      box.append(h("button", { type: "button", class: "more", onclick: () => show(most + step) }, words));
    }
  }
  show(step);
  return box;
}

/** Keys that move in a grid of cells: arrows by what lies beside, Home, End. Only one cell can be tabbed to. */
export function walkable(box, selector, first = box.querySelector(selector)) {
  const cells = () => [...box.querySelectorAll(selector)];
  for (const cell of cells()) cell.setAttribute("tabindex", cell === first ? "0" : "-1");
  let rests = first;
  box.addEventListener("focusin", ({ target }) => {
    if (!target.matches(selector)) return;
    rests.setAttribute("tabindex", "-1");
    target.setAttribute("tabindex", "0");
    rests = target;
  });
  box.addEventListener("keydown", (event) => {
    const all = cells();
    const at = all.indexOf(document.activeElement);
    const ways = { ArrowRight: all[at + 1], ArrowLeft: all[at - 1], Home: all[0], End: all.at(-1) };
    const lines = { ArrowDown: 1, ArrowUp: -1 };
    if (at < 0 || !(event.key in ways || event.key in lines)) return;
    event.preventDefault();
    (event.key in lines ? lineBeside(all, all[at], lines[event.key]) : ways[event.key])?.focus();
  });
}

/** The nearest cell in the next line below (1) or above (-1); undefined in the last one. */
function lineBeside(all, from, side) {
  const here = from.getBoundingClientRect();
  let best;
  let least = Infinity;
  for (const one of all) {
    const there = one.getBoundingClientRect();
    const down = side * (there.top - here.top);
    const far = down * 1e4 + Math.abs(there.left + there.right - here.left - here.right);
    if (down > 1 && far < least) [best, least] = [one, far];
  }
  return best;
}
