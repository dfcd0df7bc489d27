// The points of a chart in order: bars, and empty places where bars are missing; and the bands to be shaded.

import { isIntraday, localClock, placesIn } from "./grid.js";

/** Points with their instant `ts`, their place on a local clock `time` (seconds), and their bar, if there is one. */
export function pointsOf({ asked, bars, sessions }) {
  const local = localClock(sessions.zone);
  const { columns } = bars;
  const bar = (at) => Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][at]]));
  const found = new Map(columns.ts.map((ts, at) => [ts, bar(at)]));
  for (const gap of bars.gaps) {
    for (const ts of placesIn(gap, asked.timeframe, asked.session, sessions.sessions, local))
      if (!found.has(ts)) found.set(ts, null);
  }
  let last = -Infinity;
  return [...found]
    .sort(([one], [other]) => one - other)
    .map(([ts, of]) => {
      // A clock that is put back shows an hour twice; the chart wants each time once.
      last = Math.max(local(ts) / 1000, last + 1);
      return { ts, time: last, bar: of };
    });
}

/** Runs of neighbouring points of one kind: `gap` with its reason, `pre` and `post`. */
export function bandsOf(points, { asked, bars, sessions }) {
  const kinds = isIntraday(asked.timeframe) ? hoursOf(points, sessions.sessions) : points.map(() => null);
  const bands = runs(kinds);
  for (const gap of bars.gaps) {
    const from = points.findIndex((point, at) => point.ts >= gap.start || (points[at + 1]?.ts ?? point.ts) > gap.start);
    const to = points.findLastIndex((point) => point.ts < gap.end);
    if (from >= 0 && to >= from) bands.push({ kind: "gap", from, to, gap });
  }
  return bands;
}

function hoursOf(points, { day, open, close }) {
  let at = 0;
  return points.map(({ ts }) => {
    while (at < day.length - 1 && ts >= day[at + 1]) at += 1;
    if (!day.length) return null;
    return ts < open[at] ? "pre" : ts >= close[at] ? "post" : null;
  });
}

function runs(kinds) {
  const found = [];
  kinds.forEach((kind, at) => {
    const last = found.at(-1);
    if (kind && last?.kind === kind && last.to === at - 1) last.to = at;
    else if (kind) found.push({ kind, from: at, to: at });
  });
  return found;
}
