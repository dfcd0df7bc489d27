// The same answer elsewhere: every view tells the command and the program that get what it shows.

import { address } from "./api.js";
import { freshId, h } from "./dom.js";
import { say } from "./say.js";

/** A word as a shell takes it. */
export function shell(word) {
  return /^[\w.:,/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command of gapless; words are quoted where they must be, and a word that looks like an option is none. */
export function command(verb, names = [], options = {}) {
  const given = Object.entries(options).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const flags = given.map(([name, value]) => (value === true ? `--${name}` : `--${name} ${shell(value)}`));
  const guard = names.some((name) => name.startsWith("-")) ? ["--"] : [];
  return ["gapless", verb, ...flags, ...guard, ...names.map(shell)].join(" ");
}

const value = (of) => (of === true ? "True" : of === false ? "False" : JSON.stringify(of));

/** A call of the library: `w.bars("AAPL", "5m", session="regular")`. */
export function python(method, args = [], named = {}) {
  const given = Object.entries(named).filter(([, to]) => to !== null && to !== undefined && to !== "");
  const words = [...args.map(value), ...given.map(([name, to]) => `${name}=${value(to)}`)];
  return `import gapless\n\nwith gapless.open() as w:\n    print(w.${method}(${words.join(", ")}))`;
}

/** The same over HTTP. */
export const curl = (where, params) => `curl ${shell(address(where, params).href)}`;

/** Text into the clipboard; where a browser does not give one, the text is selected instead. */
export async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(shown);
    say("Selected; copy it with the keyboard.");
  }
}

/** A small button that copies a command. */
export function copyButton(text, label = "Copy") {
  const shown = h("code", null, text);
  return h(
    "span",
    { class: "command" },
    shown,
    h(
      "button",
      { type: "button", class: "small", "aria-label": `${label}: ${text}`, onclick: () => copy(text, shown) },
      label,
    ),
  );
}

/** The panel at the end of a view: tabs for CLI, Python and HTTP, and what they say. */
export function elsewhere(ways) {
  const shown = h("code", { tabindex: "0", role: "tabpanel", id: freshId() });
  const names = Object.keys(ways);
  const tabs = names.map((name) =>
    h(
      "button",
      { type: "button", role: "tab", class: "small", "aria-controls": shown.id, onclick: () => pick(name) },
      `Copy as ${name}`,
    ),
  );
  function show(name) {
    shown.textContent = ways[name];
    shown.setAttribute("aria-label", `As ${name}`);
    tabs.forEach((tab, at) => tab.setAttribute("aria-selected", String(names[at] === name)));
  }
  function pick(name) {
    show(name);
    copy(ways[name], shown);
  }
  show(names[0]);
  return h(
    "section",
    { class: "elsewhere", "aria-label": "The same elsewhere" },
    h("div", { class: "row", role: "tablist" }, tabs),
    h("pre", null, shown),
  );
}
