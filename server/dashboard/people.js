// Who there is, how each is answered, where one is signed in, and with which keys.
import { announce, dialog, h, notice, put } from "./dom.js";
import { time, wholeTime } from "./format.js";
import { asking, card, choice, field, fill, page, table, tag } from "./page.js";
import { drawRights } from "./rights.js";
import { call } from "./store.js";

function addPerson(again) {
  const name = h("input", { autocomplete: "off" }), role = choice([["member", "Member: works with tools"], ["guest", "Guest: talks only"]], "member");
  asking("Take somebody in", [field("Name", name), field("Role", role)], "Take in", () => call("POST", "/v1/people", { name: name.value.trim(), role: role.value }), again);
}

function changePerson(person, again) {
  const replies = choice([["full", "As the model writes"], ["plain", "Plain: no tables, code, formulas"]], person.replies);
  const effort = choice([["auto", "As each message deserves"], ["normal", "Sorted first, with tools"], ["heavy", "Thought over each time"]], person.effort);
  const tone = h("input", { value: person.tone, maxlength: 300 });
  asking(`How ${person.name} is answered`, [field("Replies", replies), field("Effort", effort), field("Tone, in a line", tone)], "Save", () => call("POST", `/v1/people/${person.id}`, { replies: replies.value, effort: effort.value, tone: tone.value }), again);
}

function sayWho(people, again) {
  const code = h("input", { autocomplete: "off", autocapitalize: "characters" }), person = choice(people.map((one) => [one.id, one.name]));
  asking("Say who it is", [h("p", { class: "muted" }, "Whoever writes to a bot of the house is told a code. Ask for it by a way on which you know whom you ask."), field("Code", code), field("Is", person)], "That is them", () => call("POST", "/v1/pairings", { code: code.value.trim(), person: person.value }), again);
}

async function makeLink(person) {
  const made = await call("POST", "/v1/session/links", { person: person.id });
  const shown = h("input", { readonly: true, value: made.url, "aria-label": "Link" });
  shown.style.width = "100%";
  dialog(`A link for ${person.name}`, [h("p", {}, "Whoever opens it first is signed in as ", h("span", { class: "strong" }, person.name), `, until ${time(made.expires)}. Send it by a way that nobody else reads.`), shown,
    h("p", {}, h("button", { type: "button", onclick: async () => { await navigator.clipboard.writeText(made.url); announce("Copied."); } }, "Copy"))]);
  shown.select();
}

const device = (label) => {
  const browser = ["Firefox", "Edg", "OPR", "Chrome", "Safari"].find((one) => label.includes(one + "/"));
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].find((one) => label.includes(one));
  return [{ Edg: "Edge", OPR: "Opera" }[browser] || browser || "A program", system].filter(Boolean).join(" on ");
};

function newKey(again, scopes) {
  const label = h("input", { value: "key" });
  const boxes = scopes.map((scope) => h("input", { type: "checkbox", value: scope, checked: scope === "chat" }));
  asking("Make a key", [field("For what", label), h("fieldset", {}, h("legend", {}, "It may"), boxes.map((box) => h("label", { class: "row" }, box, box.value)))], "Make", async () => {
    const made = await call("POST", "/v1/keys", { label: label.value, scopes: boxes.filter((box) => box.checked).map((box) => box.value) });
    const secret = h("input", { readonly: true, value: made.secret, "aria-label": "Key" });
    secret.style.width = "100%";
    dialog("The key", [h("p", {}, "It is shown this once."), secret]);
    secret.select();
  }, again);
}

const asked = (again, work) => async () => {
  await work().catch((error) => announce(error.message));
  (await again)();
};

export async function show(main, { session }) {
  const admin = session.scopes.includes("admin");
  const people = h("div"), paired = h("div"), sessions = h("div"), keys = h("div");
  let again = null;
  const body = page(main, "People", admin && h("button", { type: "button", onclick: async () => addPerson(await again) }, "Take somebody in…"));
  body.append(card("The house", people));
  again = fill(people, "/v1/people", (node, { data }) => node.append(table("People", [
    ["Name", (one) => [h("span", { class: "strong" }, one.name), one.id === session.person.id ? " (you)" : ""]], ["Role", (one) => tag(one.role)],
    ["Answered", (one) => [one.replies === "plain" ? "plainly" : "in full", one.effort === "auto" ? "" : `, ${one.effort}`, one.quiet ? h("div", { class: "small muted" }, `quiet ${one.quiet.hours.replace("-", "–")}, ${one.quiet.zone}`) : null, one.tone ? h("div", { class: "small muted" }, one.tone) : null]],
    ["", (one) => (admin || one.id === session.person.id) && h("div", { class: "row end" }, h("button", { type: "button", onclick: async () => changePerson(one, await again) }, "Change…"), admin && h("button", { type: "button", onclick: () => makeLink(one).catch((error) => announce(error.message)) }, "Link to sign in…"))],
  ], data)));
  if (admin) {
    body.append(card("Who writes from elsewhere", paired));
    const senders = fill(paired, "/v1/pairings", (node, { waiting, known }) => {
      if (!waiting.length && !known.length) return node.append(notice("Nobody has written from elsewhere.", "Once a bridge is set up, whoever writes to it waits here until you say who it is."));
      if (waiting.length) node.append(h("p", {}, h("button", { class: "primary", type: "button", onclick: async () => sayWho((await call("GET", "/v1/people")).data, await senders) }, "Say who it is…")));
      node.append(table("Known senders", [["Channel", (one) => one.bridge], ["There", (one) => [one.label, h("div", { class: "small muted" }, one.sender)]], ["Here", (one) => one.person || tag("waits", "draft")]], [...waiting, ...known]));
    });
  }
  const rights = h("div");
  body.append(card("Who may do what", rights));
  const rightsAgain = fill(rights, "/v1/people/rights", (node, { data }) => drawRights(node, data, session.person.role === "owner" && admin && (async () => (await rightsAgain)())));
  body.append(card("Where you are signed in", sessions));
  const signed = fill(sessions, "/v1/sessions", (node, { data }) => node.append(data.length ? table("Sessions", [
    ["Device", (one) => [h("span", { title: one.label }, device(one.label)), one.current ? " (this one)" : ""]], ["By", (one) => one.way], ["Since", (one) => wholeTime(one.begun)], ["Last seen", (one) => wholeTime(one.seen)],
    ["", (one) => !one.current && h("button", { type: "button", onclick: asked(signed, () => call("DELETE", `/v1/sessions/${one.id}`)) }, "Sign out")],
  ], data) : notice("Nowhere.")));
  if (!admin) return;
  let made = null;
  body.append(card("Your keys", h("p", {}, h("button", { type: "button", onclick: async () => newKey(await made, session.scopes) }, "Make a key…")), keys));
  made = fill(keys, "/v1/keys", (node, { data }) => {
    const shown = data.filter((one) => !one.revoked).reverse();
    put(node, shown.length ? table("Keys", [["Key", (one) => h("span", { class: "mono" }, `${one.prefix}…`)], ["For", (one) => one.label], ["May", (one) => one.scopes.join(", ")], ["Since", (one) => wholeTime(one.created)],
      ["", (one) => h("button", { type: "button", onclick: asked(made, () => call("DELETE", `/v1/keys/${one.id}`)) }, "Revoke")]], shown) : notice("You have no key.", "Programs need one; browsers sign in."));
  });
}
