// Where we are is in the address after `#`, so that every view can be linked to: #/chart/AAPL/5m?session=regular

/** Read the address: the view, the parts after it, and the query. */
export function here() {
  const [place, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view, ...parts] = place.split("/").filter(Boolean).map(decoded);
  return { view: view ?? "completeness", parts, query: new URLSearchParams(query) };
}

function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** The address of a view; a query word of nothing is left out. */
export function link(view, parts = [], query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const words = new URLSearchParams(kept).toString();
  return `#/${[view, ...parts].map(encodeURIComponent).join("/")}${words ? `?${words}` : ""}`;
}

/** Go to another address; the view there is drawn anew. */
export function go(address) {
  location.hash = address;
}
