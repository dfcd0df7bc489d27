// Where one is between all symbols and one day.

import { h } from "../dom.js";
import { link } from "../route.js";

export function trail(symbol, base, when) {
  const steps = [
    ["All", link("completeness")],
    [`${symbol} ${base}, ${when.slice(0, 7)}`, link("completeness", [symbol, base, when.slice(0, 7)])],
  ];
  if (when.length > 7) steps.push([when, link("completeness", [symbol, base, when])]);
  const items = steps.map(([words, href], at) =>
    h("li", null, h("a", { href, "aria-current": at === steps.length - 1 ? "page" : null }, words)),
  );
  return h("nav", { class: "trail", "aria-label": "Where you are" }, h("ol", null, items));
}
