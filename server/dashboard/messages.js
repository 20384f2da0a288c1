// What left the house for people, and what may have.
import { h, notice } from "./dom.js";
import { time, wholeTime } from "./format.js";
import { card, fill, mark, page, table } from "./page.js";
import { every } from "./store.js";

const STATES = { prepared: ["warn", "for the owner's word"], queued: ["quiet", "waits"], in_flight: ["running", "leaving"], delivered: ["ok", "delivered"], failed: ["error", "failed"], unknown: ["warn", "may have arrived"] };
const COLUMNS = [
  ["State", (one) => mark(...(STATES[one.state] || ["quiet", one.state]))],
  ["When", (one) => h("time", { datetime: one.created, title: wholeTime(one.created) }, time(one.created))],
  ["For", (one) => [one.person, h("div", { class: "small muted" }, `${one.bridge} ${one.chat}`)]],
  ["Text", (one) => [one.content === null ? h("span", { class: "muted" }, "of somebody else") : h("div", { class: "said-text" }, one.content), one.error ? h("p", { class: "small state error" }, one.error) : null]],
  ["Let out by", (one) => h("span", { class: "small muted" }, one.rule)],
  ["Answers", (one) => (one.emitter.startsWith("run:") ? h("a", { href: `/runs/${one.emitter.slice(4)}` }, "run") : h("span", { class: "small muted" }, one.emitter))],
];

function draw(node, { data }) {
  if (!data.length) return node.append(notice("Nothing has left.", "What Hearth writes to people by Telegram or another channel will stand here, whether it arrived or not."));
  const unknown = data.filter((one) => one.state === "unknown");
  if (unknown.length) node.append(card(`May have arrived: ${unknown.length}`, h("p", { class: "muted" }, "The connection broke off while these were being sent. They are never sent again by themselves."), table("May have arrived", COLUMNS, unknown)));
  node.append(card("Everything that left", table("Everything that left", COLUMNS, data)));
}

export async function show(main) {
  const body = page(main, "Messages");
  const again = fill(body, "/v1/outbox?limit=200", draw);
  return every(10000, async () => (await again)());
}
