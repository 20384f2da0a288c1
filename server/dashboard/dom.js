// Elements without markup from strings: what others wrote becomes text nodes and nothing else.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, given] of Object.entries(value)) node.style.setProperty(property, given);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(9)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// h("button", {class: "primary", onclick: stop}, "Stop")
export const h = (name, properties, ...children) => fill(document.createElement(name), properties, children);
export const svg = (name, properties, ...children) => fill(document.createElementNS(SVG, name), properties, children);

export function put(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

// A dialog that goes when it is closed; `fields` are its content, `act` its button: [label, function].
export function dialog(title, fields, actions = []) {
  const close = () => box.close();
  const box = h("dialog", { "aria-label": title },
    h("form", { method: "dialog", onsubmit: (event) => event.preventDefault() },
      h("h2", {}, title), fields,
      h("div", { class: "row end" }, h("button", { type: "button", onclick: close }, actions.length ? "Cancel" : "Close"),
        actions.map(([label, act, kind]) => h("button", { type: "submit", class: kind || "primary", onclick: () => act(close) }, label)))));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

let announcer = null;

// Said by screen readers when they are free.
export function announce(text) {
  announcer = announcer || document.body.appendChild(h("div", { class: "unseen", "aria-live": "polite" }));
  announcer.textContent = text;
}

// A state of a view in which there is nothing to show: what is so, and what to do.
export const notice = (title, text, ...more) => h("div", { class: "notice" }, h("p", { class: "strong" }, title), text && h("p", { class: "muted" }, text), more);
export const failure = (error, again) => h("div", { class: "notice error", role: "alert" }, h("p", { class: "strong" }, error.message || String(error)),
  again && h("button", { type: "button", onclick: again }, "Try again"));
