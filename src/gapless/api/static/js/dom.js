// Elements without markup: text is always text, so nothing that a vendor or a file says can become part of the page.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `on...` are listeners, `data` goes to the dataset, `css` to single style properties. */
export function h(tag, props, ...children) {
  return dress(document.createElement(tag), props, children);
}

/** The same for a picture. */
export function svg(tag, props, ...children) {
  return dress(document.createElementNS(SVG, tag), props, children);
}

function dress(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "css") for (const [name, to] of Object.entries(value)) node.style.setProperty(name, to);
    else if (key === "value" || key === "checked") node[key] = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  put(node, children);
  return node;
}

/** Append whatever is there: nodes as they are, all else as text, lists in order, nothing for nothing. */
export function put(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** Put these in place of what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  return put(node, children);
}

let counted = 0;

/** An id that nothing else on the page has. */
export function freshId() {
  counted += 1;
  return `g${counted}`;
}
