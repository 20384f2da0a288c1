// What left the house for people, and what may have.
import { announce, dialog, h, notice } from "./dom.js";
import { time, wholeTime } from "./format.js";
import { card, fill, mark, page, table } from "./page.js";
import { call, every } from "./store.js";

const STATES = { prepared: ["warn", "for the owner's word"], queued: ["quiet", "waits"], in_flight: ["running", "leaving"], delivered: ["ok", "delivered"], failed: ["error", "failed"], unknown: ["warn", "may have arrived"] };
const WORDS = { sent: "says that it arrived", unsent: "says that it did not arrive", again: "had it sent again" };
const COLUMNS = [
  ["State", (one) => mark(...(STATES[one.state] || ["quiet", one.state]))],
  ["When", (one) => h("time", { datetime: one.created, title: wholeTime(one.created) }, time(one.created))],
  ["For", (one) => [one.person, h("div", { class: "small muted" }, `${one.bridge} ${one.chat}`)]],
  ["Text", (one) => [one.content === null ? h("span", { class: "muted" }, "of somebody else") : h("div", { class: "said-text", tabindex: one.content.length > LONG ? "0" : null }, one.content), one.error ? h("p", { class: "small wrong-text" }, one.error) : null, one.told ? h("p", { class: "small muted" }, `${one.told_by} ${WORDS[one.told] || one.told}`) : null]],
  ["Answers", (one) => [one.emitter.startsWith("run:") ? h("a", { href: `/runs/${one.emitter.slice(4)}` }, "run") : h("span", { class: "small" }, one.emitter), h("div", { class: "small muted" }, one.rule.replaceAll("_", " "))]],
];
const LONG = 160; // characters, from which on a text may have to be scrolled

// What the owner says of one that may have arrived; asked back where it would be said twice.
function told(one, again) {
  const say = (word) => async () => {
    await call("POST", `/v0/admin/outbox/${one.id}/${word}`).then(() => announce("It is written down."), (error) => announce(error.message));
    await again();
  };
  const ask = () => dialog("Send it again?", [h("p", {}, `If it did arrive, ${one.person} reads it twice.`), one.content && h("pre", { tabindex: "0" }, one.content)], [["Send it again", async (close) => { close(); await say("again")(); }]]);
  return h("div", { class: "row" }, h("button", { type: "button", onclick: say("sent") }, "It arrived"), h("button", { type: "button", onclick: say("unsent") }, "It did not"), h("button", { type: "button", onclick: ask }, "Send again…"));
}

// What may have arrived stands on top, and there alone.
function draw(node, { data }, mayTell, again) {
  if (!data.length) return node.append(notice("Nothing has left.", "What Hearth writes to people by Telegram or another channel will stand here, whether it arrived or not."));
  const unknown = data.filter((one) => one.state === "unknown"), others = data.filter((one) => one.state !== "unknown");
  const words = [...COLUMNS.slice(0, 4), ["", (one) => mayTell && told(one, again)]];
  if (unknown.length) node.append(h("section", { class: "card tray" }, h("h2", {}, `May have arrived: ${unknown.length}`), h("p", { class: "muted" }, "The connection broke off while these were being sent. They are never sent again by themselves: look there, and say how it was."), table("May have arrived", mayTell ? words : COLUMNS, unknown)));
  if (others.length) node.append(card("Everything else that left", table("Everything else that left", COLUMNS, others)));
}

export async function show(main, { session }) {
  const body = page(main, "Messages");
  const mayTell = session.person.role === "owner" && session.scopes.includes("admin");
  const again = fill(body, "/v1/outbox?limit=200", (node, answer) => draw(node, answer, mayTell, async () => (await again)()));
  return every(10000, async () => (document.querySelector("dialog[open]") ? null : (await again)()));
}
