// Begins: signs in by the link in the address, or shows what whoever has signed in may see.
import { h, put } from "./dom.js";
import { call, onSignedOut, signedIn } from "./store.js";
import { stop } from "./router.js";
import { showFrame } from "./shell.js";
import { moduleOf, nameAt, VIEWS } from "./views.js";

// Where whoever is not known signs in.
function showDoor(enter, why, again) {
  const wrong = h("p", { class: "wrong", role: "alert" }, why || "");
  const name = h("input", { name: "name", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    wrong.textContent = "";
    try {
      enter(await call("POST", "/v1/session", { name: name.value.trim(), password: password.value }));
    } catch (error) {
      wrong.textContent = error.message;
      password.select();
    }
    button.disabled = false;
  };
  document.title = "Sign in · Hearth";
  put(document.body, h("main", { class: "door" },
    h("form", { onsubmit: submit },
      h("img", { src: "/ui/icon.svg", alt: "" }),
      h("h1", {}, "Hearth"),
      wrong,
      again ? h("button", { type: "button", onclick: again }, "Try again") : [
        h("label", { class: "field" }, "Name", name),
        h("label", { class: "field" }, "Password", password),
        button,
        h("p", { class: "hint" }, "For the first time, or with a forgotten password: ", h("code", {}, "hearth open"), " on the machine that Hearth runs on makes a link."),
      ])));
  if (!again) name.focus();
}

let inside = false;

function enter(session) {
  signedIn(session);
  inside = true;
  showFrame(session);
}

function leave(why) {
  if (!inside && document.querySelector(".door")) return;
  inside = false;
  stop();
  document.querySelectorAll("dialog").forEach((one) => one.close());
  showDoor(enter, why);
}

// The secret leaves the address at once, so that it lies in no history.
function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) history.replaceState(null, "", location.pathname + location.search);
  return link;
}

async function begin() {
  const link = takeLink();
  try {
    enter(await (link ? call("POST", "/v1/session", { link }) : call("GET", "/v1/session")));
  } catch (error) {
    if (!link && error.status !== 401) return showDoor(enter, error.message, begin);
    leave(link ? error.message : "");
  }
}

// What will be shown is made ready while the server still says to whom.
const first = VIEWS.find((one) => one.name === nameAt(location.pathname));
if (first) moduleOf(first).catch(() => {});

onSignedOut(() => leave("You were signed out. Sign in again to go on."));
addEventListener("hashchange", () => { if (location.hash.startsWith("#link=")) begin(); });
begin();
