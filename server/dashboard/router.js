// Addresses and the views that they show. Everything that is looked at has one.

import { failure, h, notice } from "./dom.js";

let views = [];
let main = null;
let leave = () => {};
let turn = 0;
let moved = () => {};

export const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });
export const onMove = (listener) => { moved = listener; };

const nowhere = { name: "", title: "Nothing here", load: async () => ({ show: (to) => to.append(notice("There is nothing here.", "No view has this address.", h("a", { href: "/" }, views[0].title))) }) };

// A part that is no text as it stands is shown, and looked for, as it is.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// "/runs/0190…" → the view "runs" and ["0190…"]
function find(path) {
  const [name, ...rest] = path.split("/").filter(Boolean).map(decoded);
  return { view: views.find((one) => one.name === (name || views[0].name)) || nowhere, rest };
}

async function show() {
  const mine = ++turn;
  const { view, rest } = find(location.pathname);
  leave();
  leave = () => {};
  document.title = `${view.title} · Hearth`;
  moved(view);
  let left = null;
  try {
    const module = await view.load();
    if (mine !== turn) return;
    main.replaceChildren();
    left = await module.show(main, rest, here().query);
  } catch (error) {
    if (mine === turn) main.append(failure(error, show));
    throw error;
  }
  if (mine === turn) leave = left || leave;
  else if (left) left();
}

export function go(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) replace = true;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  return show();
}

// The same view with other filters: the view takes care of what it shows.
export function note(query) {
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
}

// A view that has another address from now on, without being shown anew.
export function rename(path) {
  history.replaceState(null, "", path);
}

export function start(where, all) {
  main = where;
  views = all;
  addEventListener("popstate", show);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='/']");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });
  return show();
}

export function stop() {
  ++turn;
  leave();
  leave = () => {};
}
