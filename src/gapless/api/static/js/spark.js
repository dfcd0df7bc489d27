// A small line of what was lately.

import { svg } from "./dom.js";

const WIDE = 120;
const HIGH = 24;

export function sparkline(values, label) {
  const most = Math.max(...values, 1e-9);
  const step = WIDE / Math.max(values.length - 1, 1);
  const points = values.map(
    (value, at) => `${(at * step).toFixed(1)},${(HIGH - 1 - (value / most) * (HIGH - 3)).toFixed(1)}`,
  );
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("polyline", { points: points.join(" "), fill: "none", "vector-effect": "non-scaling-stroke" }),
  );
}
