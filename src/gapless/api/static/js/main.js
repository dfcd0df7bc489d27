// Draws the view that the address names, and keeps the frame around it: tabs, colours, whether the server is there.

import { Gone, lastShown, shownUntil } from "./api.js";
import { fill, h, svg } from "./dom.js";
import { here, link } from "./route.js";
import { failure, loading } from "./states.js";
import { knownRuns, missed, onEvent, stay } from "./stream.js";
import { themeButton } from "./theme.js";
import { askToken } from "./token.js";
import { show as chart } from "./views/chart.js";
import { show as completeness } from "./views/completeness.js";
import { show as gaps } from "./views/gaps.js";
import { show as live } from "./views/live.js";
import { show as quality } from "./views/quality.js";
import { show as store } from "./views/store.js";

/** Each view by its word in the address: its name, its picture, and what draws it. */
const VIEWS = {
  completeness: [
    "Complete",
    "M2 3h4v4H2z M8 3h4v4H8z M14 3h4v4h-4z M2 9h4v4H2z M8 9h4v4H8z M14 9h4v4h-4z M2 15h4v3H2z M8 15h4v3H8z M14 15h4v3h-4z",
    completeness,
  ],
  live: ["Live", "M1 11h4l2.5-7 4 13 2.5-8 1.5 2H19", live],
  chart: ["Candles", "M5 2v16 M3 6h4v7H3z M14 3v15 M12 5h4v9h-4z", chart],
  gaps: ["Gaps", "M2 4h5v12H2z M13 4h5v12h-5z M10 4v2 M10 9v2 M10 14v2", gaps],
  quality: ["Quality", "M10 2l7 3v5c0 4-3 7-7 8c-4-1-7-4-7-8V5z M7 10l2.2 2.2L13.5 8", quality],
  store: ["Store", "M3 5c0-4 14-4 14 0s-14 4-14 0v10c0 4 14 4 14 0V5 M3 10c0 4 14 4 14 0", store],
};

const main = document.getElementById("view");
const news = document.getElementById("news");
let leaving = new AbortController();

async function draw() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const at = here();
  const view = at.view in VIEWS ? at.view : "completeness";
  document.title = `${VIEWS[view][0]} · gapless`;
  markTab(view);
  main.dataset.view = view;
  main.setAttribute("aria-busy", "true");
  fill(main, loading());
  news.hidden = true;
  try {
    const drawn = await VIEWS[view][2](at, signal);
    if (signal.aborted) return;
    fill(main, drawn);
    drawn.dispatchEvent(new Event("drawn"));
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    if (error instanceof Gone) missed();
    if (error.status === 401 && (await askToken(error.message))) return void draw();
    fill(main, failure(error, draw));
  }
  main.dataset.at = location.hash;
  main.setAttribute("aria-busy", "false");
}

function tabs() {
  const box = document.getElementById("tabs");
  for (const [view, [name, path]] of Object.entries(VIEWS)) {
    const icon = svg(
      "svg",
      { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
      svg("path", { d: path }),
    );
    box.append(h("a", { href: link(view), data: { view } }, icon, h("span", null, name)));
  }
}

function markTab(view) {
  for (const tab of document.querySelectorAll("#tabs a")) {
    if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

/** The word beside the tabs: how many runs go on. */
function beat() {
  const running = knownRuns().filter((run) => run.state === "running").length;
  const place = document.getElementById("beat");
  place.dataset.state = running ? "running" : "idle";
  fill(place, running ? h("a", { href: link("live") }, running === 1 ? "A run goes on" : `${running} runs go on`) : "");
}

function heard(name, data) {
  const gone = document.getElementById("gone");
  if (name === "gone") {
    gone.textContent = `The server does not answer. Trying again in ${data} s; what you see is from before.`;
    gone.hidden = false;
  }
  if (name === "back") {
    gone.hidden = true;
    draw();
  }
  if (name === "run") beat();
  if (name === "store") written(data.last_write);
}

/** Offer to draw anew what was drawn before something was written; nothing moves under a reader's eyes by itself. */
function written(instant) {
  if (lastShown() === undefined) shownUntil(instant);
  news.hidden = instant === lastShown() || main.dataset.view === "live";
}

tabs();
themeButton(document.getElementById("theme"));
onEvent(heard);
news.addEventListener("click", draw);
addEventListener("hashchange", () => {
  draw();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
draw();
stay();
