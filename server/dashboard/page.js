// What views of lists and tables have in common.
import { dialog, failure, h, put } from "./dom.js";
import { load } from "./store.js";

export function page(main, title, ...actions) {
  const body = h("div");
  main.append(h("div", { class: "page" }, h("header", {}, h("h1", {}, title), actions), body));
  return body;
}

// Draws what the path answers: at once what it last answered, greyed, then what is so. draw(node, answer).
export async function fill(node, path, draw) {
  const again = () => fill(node, path, draw);
  try {
    await load(path, (answer, old) => {
      put(node);
      draw(node, answer);
      node.classList.toggle("old", old);
    });
  } catch (error) {
    node.classList.remove("old");
    put(node, failure(error, again));
  }
  return again;
}

// On a phone a cell stands by itself, below the word for it; one with nothing in it does not stand there at all.
function tableCell(title, kind, content) {
  const inside = h("div", {}, content);
  return h("td", { class: inside.childNodes.length ? kind : `${kind || ""} empty`.trim(), "data-label": title || null }, inside);
}

// columns: [title, cell(row), class]
export function table(label, columns, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "stacks" },
    h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => (title ? h("th", { scope: "col", class: kind }, title) : h("td", {}))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([title, cell, kind]) => tableCell(title, kind, cell(row))))))));
}

// One of several: options are [value, words].
export function chips(label, options, chosen, choose) {
  return h("div", { class: "chips", role: "group", "aria-label": label }, options.map(([value, words]) => h("button", { type: "button", class: "chip", "aria-pressed": String(value === chosen), onclick: () => choose(value) }, words)));
}

export const card = (title, ...content) => h("section", { class: "card" }, h("h2", {}, title), content);
export const tag = (text, kind) => h("span", { class: `tag ${kind || ""}` }, text);
export const mark = (kind, word) => h("span", { class: `state ${kind}` }, h("span", { class: `dot ${kind}` }), word);

export function field(label, node) {
  return h("label", { class: "field" }, label, node);
}

export const choice = (values, chosen) => h("select", {}, values.map(([value, word]) => h("option", { value, selected: value === chosen }, word)));

// Runs what a dialog is for; says in it what went wrong.
export function asking(title, content, label, act, done) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  dialog(title, [wrong, content], [[label, async (close) => {
    try {
      await act();
      close();
      if (done) done();
    } catch (error) {
      wrong.textContent = error.message;
    }
  }]]);
}
