// Asks for the server's token. It is kept in memory only.

import { remember } from "./api.js";
import { h } from "./dom.js";

/** Ask; true where one was given. */
export function askToken(why) {
  const input = h("input", { type: "password", autocomplete: "off", required: true, "aria-label": "Token" });
  const dialog = h(
    "dialog",
    { class: "panel", "aria-label": "Token" },
    h(
      "form",
      { method: "dialog" },
      h("h2", null, "Token"),
      h("p", null, why),
      h(
        "p",
        { class: "quiet" },
        "The one that the server was started with (GAPLESS_SERVE_TOKEN). It is kept until this page is closed.",
      ),
      input,
      h(
        "div",
        { class: "row" },
        h("button", { class: "strong", value: "ok" }, "Go on"),
        h("button", { value: "", formnovalidate: true }, "Cancel"),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "ok" && input.value !== "";
      if (given) remember(input.value);
      dialog.remove();
      done(given);
    });
  });
}
