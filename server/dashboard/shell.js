// What stands around each view: the ways to the others, what is going on, keys.
import { announce, dialog, h, icon, notice, put } from "./dom.js";
import { go, onMove, start } from "./router.js";
import { call, forget } from "./store.js";
import { showStrip, stopFocused } from "./strip.js";
import { moduleOf, VIEWS } from "./views.js";

const KEYS = [["g c, g r, …", "go to a view by its letter"], ["/", "search"], ["j, k", "next, previous row"], ["Enter", "open"], ["Shift Esc", "stop the run in view"], ["?", "these keys"]];
const NARROW = 4; // views that the bar of a phone has room for, beside the rest

const seen = (session) => VIEWS.filter((view) => !view.scope || session.scopes.includes(view.scope));

function navLink(view, at) {
  return h("a", { class: "nav-link" + (at >= NARROW ? " minor" : ""), href: view.name === VIEWS[0].name ? "/" : `/${view.name}`, "data-view": view.name }, icon(view.name), view.title);
}

function showMore(session) {
  const box = dialog("Views", [
    h("nav", { class: "sheet side", "aria-label": "All views" }, seen(session).map((view) => h("a", { href: `/${view.name}`, onclick: () => box.close() }, icon(view.name), view.title))),
    h("div", { class: "row" }, h("button", { type: "button", onclick: () => { box.close(); showPerson(session); } }, icon("people"), session.person.name)),
  ]);
}

async function signOut(everywhere) {
  if (everywhere)
    for (const one of (await call("GET", "/v1/sessions")).data) if (!one.current) await call("DELETE", `/v1/sessions/${one.id}`);
  await call("DELETE", "/v1/session");
  forget();
  location.assign("/");
}

function showPassword(session) {
  const fresh = !session.has_password || (session.session && session.session.way === "link" && Date.now() - new Date(session.session.begun) < 14 * 60000);
  const current = h("input", { type: "password", autocomplete: "current-password" });
  const password = h("input", { type: "password", autocomplete: "new-password", minlength: 10, required: true });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const save = async (close) => {
    try {
      await call("POST", "/v1/session/password", { password: password.value, ...(fresh ? {} : { current: current.value }) });
      session.has_password = true;
      announce("The password is set.");
      close();
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  dialog(session.has_password ? "Change the password" : "Set a password", [
    h("p", { class: "muted" }, `With it ${session.person.name} signs in from other devices, too. At least 10 characters; a few words are good.`),
    wrong,
    h("input", { class: "unseen", autocomplete: "username", value: session.person.name, tabindex: -1, "aria-hidden": "true", readonly: true }),
    !fresh && h("label", { class: "field" }, "Current password", current),
    h("label", { class: "field" }, "New password", password),
  ], [["Save", save]]);
}

function showPerson(session) {
  const box = dialog(session.person.name, [
    h("p", { class: "muted" }, `${session.person.role}, signed in by ${session.session && session.session.way === "link" ? "a link" : "password"}.`),
    !session.has_password && h("p", {}, "There is no password yet: without one, signing in takes a new link each time."),
    h("div", { class: "row" },
      h("button", { type: "button", onclick: () => { box.close(); showPassword(session); } }, session.has_password ? "Change password" : "Set a password"),
      h("button", { type: "button", onclick: () => signOut(false) }, icon("out"), "Sign out"),
      h("button", { type: "button", onclick: () => signOut(true) }, "Sign out everywhere")),
  ]);
}

const showKeys = () => dialog("Keys", h("dl", { class: "facts" }, KEYS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])));

// Rows of lists, and of tables what each opens or does first.
const rowsInView = () => [...document.querySelectorAll("main [data-row], main tbody tr")].map((row) => (row.matches("tr") ? row.querySelector("a, button") : row)).filter(Boolean);

function moveRow(step) {
  const rows = rowsInView(), inside = document.activeElement.closest("tr");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row === document.activeElement || (inside && inside.contains(row)));
  rows[Math.max(0, Math.min(rows.length - 1, at + step))].focus();
}

function onKeys(session) {
  let after = ""; // the g before a letter
  let since = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.shiftKey) return stopFocused();
    const writing = event.target.closest("input, textarea, select, dialog, [contenteditable]");
    if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
    const first = after === "g" && Date.now() - since < 1500;
    after = event.key;
    since = Date.now();
    const view = first && seen(session).find((one) => one.key === event.key);
    if (view) go(`/${view.name}`);
    else if (event.key === "?") showKeys();
    else if (event.key === "j" || event.key === "k") moveRow(event.key === "j" ? 1 : -1);
    else if (event.key === "/") {
      const field = document.querySelector("main [data-search]");
      if (!field) return;
      event.preventDefault();
      field.focus();
    }
  });
}

let keysHeard = false;

export function showFrame(session) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const strip = h("header", { class: "strip", "aria-label": "What is going on" });
  const nav = h("nav", { "aria-label": "Views" },
    h("a", { class: "brand", href: "/" }, h("img", { src: "/ui/icon.svg", alt: "" }), "Hearth"),
    seen(session).map(navLink),
    h("button", { class: "nav-link nav-more", type: "button", onclick: () => showMore(session) }, icon("more"), "More"),
    h("button", { class: "nav-link nav-person", type: "button", onclick: () => showPerson(session) }, icon("people"), h("span", { class: "cut" }, session.person.name)));
  put(document.body, h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the view"), h("div", { class: "frame" }, nav, strip, main));
  onMove((view) => {
    for (const link of nav.querySelectorAll("[data-view]")) {
      if (link.dataset.view === view.name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const more = nav.querySelector(".nav-more"), below = seen(session).findIndex((one) => one.name === view.name) >= NARROW;
    if (below) more.setAttribute("aria-current", "true");
    else more.removeAttribute("aria-current");
  });
  if (!keysHeard) onKeys(session);
  keysHeard = true;
  showStrip(strip, nav, session);
  const mine = seen(session);
  start(main, VIEWS.map((view) => ({ ...view, load: async () => (mine.includes(view) ? withSession(await moduleOf(view), session) : forOthers(view)) })));
}

// A view that whoever looks may not see says so under its own address.
const forOthers = (view) => ({ show: (main) => main.append(h("div", { class: "page" }, notice(`${view.title} is for who runs this house.`, "It needs the scope admin, which the owner has. Of yours there is:",
  h("ul", { class: "ways" }, view.instead.map(([name, what]) => h("li", {}, h("a", { class: "button", href: `/${name}` }, icon(name), VIEWS.find((one) => one.name === name).title), h("span", { class: "muted" }, what))))))) });
const withSession = (module, session) => ({ show: (main, rest, query) => module.show(main, { rest, query, session }) });
