// One stream of events for the whole page, and whether the server is there. It is tried again until it is.

import { alive, Gone, listen } from "./api.js";

const SLOWEST = 10_000;
const listeners = new Set();
const runs = new Map();
let seeking = null;

/** The runs that were heard of, as they were last. */
export const knownRuns = () => [...runs.values()];

/** Hear `run` and `store` with their data, `gone` with the seconds to the next try, and `back`, until the signal aborts. */
export function onEvent(hear, signal) {
  listeners.add(hear);
  signal?.addEventListener("abort", () => listeners.delete(hear));
}

function tell(name, data) {
  if (name === "run") runs.set(data.run_id, data);
  for (const hear of listeners) hear(name, data);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function untilBack() {
  for (let wait = 1000; ; wait = Math.min(SLOWEST, wait * 2)) {
    tell("gone", wait / 1000);
    await pause(wait);
    const there = await alive().then(
      () => true,
      (error) => !(error instanceof Gone),
    );
    if (there) return;
  }
}

/** Somebody found the server gone: say so, and look until it is back. */
export function missed() {
  seeking ??= untilBack().then(() => {
    seeking = null;
    tell("back");
  });
  return seeking;
}

/** Listen for ever. */
export async function stay() {
  for (;;) {
    try {
      await listen("v1/events", tell);
    } catch (error) {
      await (error instanceof Gone ? missed() : pause(SLOWEST));
    }
  }
}
