// Where bars could be but are not. The chart has a place for each point in time that it is given, and none for others.

import { ahead, HOUR } from "../format.js";

const MINUTES = { "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240 };
/** So many empty places for one gap at most; a longer one is cut short, and its words still say how long it is. */
const MOST = 1500;

export const isIntraday = (timeframe) => timeframe in MINUTES;

/** Shifts instants to what a clock in the zone shows, as if that were UTC; the offset is looked up once an hour. */
export function localClock(zone) {
  const known = new Map();
  return (instant) => {
    const hour = Math.floor(instant / HOUR);
    if (!known.has(hour)) known.set(hour, ahead(hour * HOUR, zone));
    return instant + known.get(hour);
  };
}

/** The part of each session that is shown, as pairs of start and end. */
export function parts({ day, pre, open, close, post }, session) {
  const edges = { all: [pre, post], regular: [open, close], pre: [pre, open], post: [close, post] }[session] ?? [
    pre,
    post,
  ];
  return day.map((_, at) => [edges[0][at], edges[1][at]]);
}

/** The starts of bars of this timeframe that could be inside a gap. */
export function placesIn(gap, timeframe, session, sessions, local) {
  const places = isIntraday(timeframe)
    ? intraday(gap, MINUTES[timeframe] * 60_000, session, sessions, local)
    : daily(gap, timeframe, sessions, local);
  return [...new Set(places)];
}

function intraday(gap, step, session, sessions, local) {
  const found = [];
  for (const [start, end] of parts(sessions, session)) {
    const from = Math.max(gap.start, start);
    const until = Math.min(gap.end, end);
    if (from >= until) continue;
    // Windows count from the open of a regular session, else from midnight.
    const anchor = session === "regular" ? start : from - (local(from) % (24 * HOUR));
    for (let at = anchor + Math.floor((from - anchor) / step) * step; at < until; at += step) {
      found.push(at);
      if (found.length >= MOST) return found;
    }
  }
  return found;
}

function daily(gap, timeframe, { day }, local) {
  const back = { "1d": () => 0, "1w": (date) => (date.getUTCDay() + 6) % 7, "1mo": (date) => date.getUTCDate() - 1 }[
    timeframe
  ];
  const inside = day.filter((at) => at >= gap.start - 23 * HOUR && at < gap.end).slice(0, MOST);
  return inside.map((at) => at - back(new Date(local(at))) * 24 * HOUR);
}
