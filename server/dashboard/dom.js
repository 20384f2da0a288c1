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

// Line drawings of 24 × 24.

const PATHS = {
  chat: "M4 5h16v11H9l-5 4V5Z",
  runs: "M4 6h10M4 12h16M4 18h7",
  agents: "M12 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM5 22a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM19 22a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM12 8v4M12 12l-5.500 4.500M12 12l5.500 4.500",
  prompts: "M6 3h9l4 4v14H6V3ZM9 11h7M9 15h7",
  models: "M12 3l8 4.500v9L12 21l-8-4.500v-9L12 3ZM4 7.500l8 4.500 8-4.500M12 12v9",
  messages: "M3 6h18v12H3V6ZM3 7l9 7 9-7",
  people: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21c0-4 3-6 7-6s7 2 7 6M16 3.500a4 4 0 0 1 0 7.200M18 15.500c2.500.7 4 2.600 4 5.500",
  secrets: "M6 11h12v9H6v-9ZM8.500 11V7.500a3.500 3.500 0 0 1 7 0V11",
  system: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  memory: "M12 21s-8-4.500-8-11a4.500 4.500 0 0 1 8-2.800A4.500 4.500 0 0 1 20 10c0 6.500-8 11-8 11Z",
  mathcore: "M3 17l5-6 4 3 5-8 4 4",
  schedules: "M5 5h14v15H5V5ZM5 10h14M9 3v4M15 3v4",
  more: "M4 6h16M4 12h16M4 18h16",
  stop: "M7 7h10v10H7V7Z",
  send: "M12 19V5M6 11l6-6 6 6",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  tool: "M14.500 6a4 4 0 0 0-5 5L3.500 17l3 3 6-6a4 4 0 0 0 5-5l-2.500 2.500-3-3L14.500 6Z",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l5 5",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
};

export const icon = (name) => svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
