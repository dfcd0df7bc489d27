// Numbers and instants in words. Instants are Unix milliseconds; a zone is a name such as America/New_York.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const parts = new Map();

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const compact = (value) => (value === null || value === undefined ? "–" : short.format(value));
export const percent = (value) => `${value === 100 ? "100" : value.toFixed(1)} %`;

/** All timeframes, from the shortest to the longest. */
export const FRAMES = ["1m", "5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "1mo"];
export const inOrder = (frames) => FRAMES.filter((frame) => frames.includes(frame));

/** How many of something: "1 gap", "3 gaps". */
export function many(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

/** A price as exact as it needs to be. */
export function price(value) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 1 ? 6 : 4 });
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${at && left < 100 ? left.toFixed(1) : Math.round(left)} ${units[at]}`;
}

/** A length of time in at most two units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function ago(instant, now = Date.now()) {
  if (!instant) return "never";
  const seconds = (now - instant) / 1000;
  return seconds < 5 ? "just now" : `${duration(Math.max(seconds, 10))} ago`;
}

/** What a clock in this zone shows: year, month, day, hour, minute, second as numbers. */
export function clock(instant, zone = "UTC") {
  if (!parts.has(zone)) {
    const options = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit" };
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
    parts.set(zone, new Intl.DateTimeFormat("en-US", { ...options, ...time }));
  }
  return Object.fromEntries(
    parts
      .get(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
}

const two = (number) => String(number).padStart(2, "0");

export function day(instant, zone) {
  const { year, month, day: date } = clock(instant, zone);
  return `${year}-${two(month)}-${two(date)}`;
}

export function time(instant, zone) {
  const { hour, minute } = clock(instant, zone);
  return `${two(hour)}:${two(minute)}`;
}

/** An instant as exact as bars of a timeframe are: a day for days and longer. */
export const stamp = (instant, zone, timeframe) =>
  /d|w|mo/.test(timeframe) ? day(instant, zone) : moment(instant, zone);
export const moment = (instant, zone) => (instant ? `${day(instant, zone)} ${time(instant, zone)}` : "–");

/** Milliseconds by which a zone is ahead of UTC at an instant. */
export function ahead(instant, zone) {
  const { year, month, day: date, hour, minute, second } = clock(instant, zone);
  return Date.UTC(year, month - 1, date, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

/** "New York" for America/New_York. */
export const place = (zone) => zone.split("/").pop().replaceAll("_", " ");
