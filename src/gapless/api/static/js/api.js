// The HTTP door, asked from the page. Addresses are relative, so that a prefix in front of the server does not matter.

/** The server answered, and says what is wrong and what to do (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.status = status;
    this.title = body.title ?? `Status ${status}`;
    this.hint = body.hint ?? "";
    this.gaps = body.gaps ?? [];
  }
}

/** The server did not answer. */
export class Gone extends Error {}

let token = "";

/** Keep the token that writing needs: in memory, until the page is closed. */
export function remember(words) {
  token = words;
}

export const hasToken = () => token !== "";

function headers(more = {}) {
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

export function address(path, params = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

/** A path below /v1/, each part of it encoded. */
export const path = (...words) => ["v1", ...words.map(encodeURIComponent)].join("/");

async function send(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Gone("The server does not answer.");
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

let written;

/** When the store was last written, as far as this page has shown it: null without a store, undefined where unknown. */
export const lastShown = () => written;

/** What is shown is as of this write. */
export function shownUntil(instant) {
  written = instant;
}

/** Ask and read JSON. */
export async function ask(where, params, signal) {
  const options = { signal, cache: "no-cache", headers: headers({ Accept: "application/json" }) };
  return (await send(address(where, params), options)).json();
}

/** Ask about the store itself, which every view does before it shows anything of it. */
export async function askStore(signal) {
  const store = await ask("v1/store", {}, signal);
  shownUntil(store.last_write ?? null);
  return store;
}

/** Start something on the server; needs the token. */
export async function order(where, body) {
  const options = {
    method: "POST",
    body: JSON.stringify(body),
    headers: headers({ "Content-Type": "application/json" }),
  };
  return (await send(address(where), options)).json();
}

/** Whether the server is there. */
export async function alive() {
  await send(address("healthz"), { cache: "no-store" });
}

/** Read server-sent events until they end; `hear(name, data)` for each. */
export async function listen(where, hear) {
  const answer = await send(address(where), { cache: "no-store", headers: headers({ Accept: "text/event-stream" }) });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done) throw new Gone("The stream of events ended.");
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) told(block, hear);
  }
}

function told(block, hear) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  if (data.length) hear(name, JSON.parse(data.join("\n")));
}
