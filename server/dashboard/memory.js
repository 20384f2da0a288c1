// What is remembered, where it is from, why it would come to mind, and forgetting.
import { announce, dialog, failure, h, icon, notice, put } from "./dom.js";
import { time, wholeTime } from "./format.js";
import { card, fill, page, table, tag } from "./page.js";
import { go, note } from "./router.js";
import { call } from "./store.js";

const FACTS = "/v1/memory/facts", DOCUMENTS = "/v1/memory/documents";

// What goes with it and what cannot be reached is said before it goes.
async function forget(path, done) {
  const shown = h("div", {}, h("p", { class: "muted" }, "…"));
  const act = async (close) => {
    try {
      await call("DELETE", path);
      close();
      announce("Forgotten.");
      done();
    } catch (error) {
      put(shown, failure(error));
    }
  };
  dialog("Forget it, and what came of it", [shown], [["Forget", act, "danger"]]);
  try {
    const told = await call("DELETE", `${path}?preview=true`);
    put(shown, h("p", { class: "strong" }, "Goes with it"), h("ul", {}, Object.entries(told.counts).map(([kind, number]) => h("li", {}, `${number} ${kind.replaceAll("_", " ")}`))),
      h("p", { class: "strong" }, "Cannot be reached"), h("ul", { class: "small muted" }, told.stays.map((one) => h("li", {}, one))));
  } catch (error) {
    put(shown, failure(error));
  }
}

// What is written holds from now on; what held until then is kept with its time.
function change(one, done) {
  const text = h("textarea", { rows: 4 });
  text.value = one.text;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const save = async (close) => {
    try {
      const made = await call("POST", `${FACTS}/${one.id}`, { text: text.value });
      close();
      announce("It holds from now on.");
      done(made.id);
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  dialog("Change a fact", [h("p", { class: "muted" }, "What you write holds from now on. What is replaced stays in its history."), wrong, h("label", { class: "field" }, "Fact", text)], [["Save", save]]);
}

function health(node, { facts, segments, episodes, documents }) {
  const rows = [["Facts that hold", facts.held], ["Replaced", facts.replaced], ["Told again", facts.told_again], ["From texts of others", facts.from_texts], ["Of groups", facts.of_groups], ["Pieces of conversations", segments.all], ["Not yet summed up", segments.unsummed], ["Summaries", episodes.all],
    ["Summed up until", episodes.until ? wholeTime(episodes.until) : "never"], ["Documents", documents.all], ["Sections of them", documents.sections], ["Documents still to be read", documents.open]];
  node.append(card("Health", h("dl", { class: "figures" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))))));
}

const origin = (one) => (one.fact ? "a fact" : one.document ? `the document “${one.name}”` : one.episode ? "a summary" : "what was said");
const place = (one) => (one.fact ? `/memory/${one.fact}` : one.run ? `/runs/${one.run}` : one.conversation ? `/chat/${one.conversation}` : null);

function search(body, query) {
  const field = h("input", { type: "search", placeholder: "What would a question bring back?", "aria-label": "Question", "data-search": true, value: query.get("question") || "" });
  const found = h("div", { "aria-live": "polite" });
  const look = async () => {
    const question = field.value.trim();
    note(new URLSearchParams(question ? { question } : {}));
    if (!question) return put(found);
    try {
      const { data } = await call("GET", `/v1/memory/recall?${new URLSearchParams({ question })}`);
      put(found, data.length ? card("Comes to mind", h("ol", { class: "found" }, data.map((one) => h("li", {}, h("p", { class: one.trusted ? "" : "untrusted" }, one.text),
        h("p", { class: "small muted" }, `from ${origin(one)}, ${time(one.told)}; because: ${one.why}`, place(one) ? [" · ", h("a", { href: place(one) }, "there")] : ""))))) : notice("Nothing comes to mind.", "Other words may find it."));
    } catch (error) {
      put(found, failure(error, look));
    }
  };
  field.addEventListener("change", look);
  body.append(h("div", { class: "chips" }, h("div", { class: "search" }, icon("search"), field)), found);
  if (field.value) look();
}

async function showFact(root, id, done) {
  const changed = (fresh) => go(`/memory/${fresh}`);
  await fill(root, `${FACTS}/${id}`, (node, one) => node.append(card(one.about || "A fact",
    h("p", { class: one.trusted ? "" : "untrusted" }, one.text),
    h("dl", { class: "facts" }, h("dt", {}, "Told"), h("dd", {}, `${wholeTime(one.told)}, ${one.seen} times`), h("dt", {}, "Holds"), h("dd", {}, `since ${wholeTime(one.from)}${one.until ? ` until ${wholeTime(one.until)}` : ""}`), h("dt", {}, "Seen by"), h("dd", {}, one.of === "group" ? "a group" : "you alone"),
      one.replaced_by ? [h("dt", {}, "Replaced by"), h("dd", {}, h("a", { href: `/memory/${one.replaced_by}` }, "a later one"))] : null, one.replaces.length ? [h("dt", {}, "Replaces"), h("dd", {}, one.replaces.map((older) => h("a", { href: `/memory/${older}` }, "an earlier one")))] : null),
    h("h3", {}, "Where it is from"), table("Where it is from", [["When", (sight) => wholeTime(sight.at)], ["Words", (sight) => h("span", { class: sight.trusted ? "" : "untrusted" }, sight.quote || "–")], ["", (sight) => (sight.run_id ? h("a", { href: `/runs/${sight.run_id}` }, "run") : sight.document || null)]], one.sightings),
    h("div", { class: "row end" }, !one.until && h("button", { type: "button", onclick: () => change(one, changed) }, "Change…"), h("button", { class: "danger", type: "button", onclick: () => forget(`${FACTS}/${id}`, done) }, "Forget…")))));
}

export async function show(main, { rest, query }) {
  const body = page(main, "Memory");
  const one = h("div"), facts = h("div"), documents = h("div"), state = h("div");
  search(body, query);
  body.append(one, card("Facts", facts), card("Documents", documents), state);
  fill(state, "/v1/memory/health", health);
  const list = await fill(facts, `${FACTS}?limit=100`, (node, { data }) => node.append(data.length ? table("Facts", [
    ["Fact", (fact) => [h("a", { href: `/memory/${fact.id}`, class: "plain" }, fact.text), fact.trusted ? (fact.noted ? [" ", tag("noted", "draft")] : "") : [" ", tag(fact.document ? `from ${fact.document}` : "from outside", "draft")]]], ["About", (fact) => fact.about || "–"], ["Told", (fact) => [h("time", { datetime: fact.last_seen, title: wholeTime(fact.last_seen) }, time(fact.last_seen)), fact.seen > 1 ? h("div", { class: "small muted" }, `${fact.seen} times`) : null]],
    ["", (fact) => h("div", { class: "row end" }, h("button", { type: "button", onclick: () => change(fact, list) }, "Change…"), h("button", { type: "button", onclick: () => forget(`${FACTS}/${fact.id}`, list) }, "Forget…"))],
  ], data) : notice("Nothing is remembered yet.", "Tell it something in the chat that it shall remember.")));
  const read = await fill(documents, `${DOCUMENTS}?limit=100`, (node, { data }) => node.append(data.length ? table("Documents", [["Name", (doc) => h("span", { class: "strong" }, doc.name)], ["Sections", (doc) => doc.sections, "number"], ["KiB", (doc) => Math.ceil(doc.bytes / 1024), "number"], ["Added", (doc) => time(doc.added)],
    ["", (doc) => h("div", { class: "row end" }, h("button", { type: "button", onclick: () => forget(`${DOCUMENTS}/${doc.id}`, read) }, "Forget…"))]], data) : notice("There are no documents.")));
  if (rest[0]) await showFact(one, rest[0], () => { put(one); list(); });
}
