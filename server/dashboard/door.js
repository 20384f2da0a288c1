// Where whoever is not known signs in.
import { h, put } from "./dom.js";
import { call } from "./store.js";

export function showDoor(enter, why, again) {
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
