// Which models there are, how they are, and what they were used for.
import { lastDays } from "./charts.js";
import { announce, h, notice, svg } from "./dom.js";
import { count, duration, time, wholeTime } from "./format.js";
import { card, fill, mark, page, table } from "./page.js";
import { call, every } from "./store.js";
import { PATH as USED, SPAN, speedCharts } from "./usage_charts.js";

const named = (value) => (value === null || typeof value !== "object" ? String(value) : Array.isArray(value) ? `${value.length}` : JSON.stringify(value));

const mib = (bytes) => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`);

// Parts of a whole as a bar, and in words below it: [name, amount, words] of each.
function stacked(label, whole, parts) {
  let x = 0;
  const rects = parts.map(([name, amount]) => {
    const width = (100 * amount) / Math.max(1, whole);
    x += width;
    return svg("rect", { class: `part ${name}`, x: x - width, y: 0, width, height: 10 });
  });
  return h("div", { class: "stacked" }, svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { class: "part free", x: 0, y: 0, width: 100, height: 10 }), rects),
    h("p", { class: "small" }, h("span", { class: "strong" }, label), parts.map(([name, , words]) => h("span", { class: "key" }, h("span", { class: `swatch ${name}` }), `${name} ${words}`))));
}

// What a local model holds and works on.
function drawings({ memory, plan, hot, kv_tokens: most, kv_used_tokens: used, kv_cached_tokens: cached }) {
  const out = [];
  if (hot) out.push(h("p", {}, mark("warn", "the machine is too hot: answers are computed slowly")));
  if (memory) out.push(stacked(`Memory, of ${mib(memory.limit)}`, memory.limit, [["weights", memory.weights, mib(memory.weights)], ["cache", memory.kv, mib(memory.kv)], ["scratch", memory.scratch, mib(memory.scratch)]]));
  if (most && used !== undefined) out.push(stacked(`Cache, of ${count(most)} tokens`, most, [["used", used, count(used)], ["kept", cached || 0, count(cached || 0)]]));
  if (plan && plan.kv_sum) out.push(h("p", { class: "small" }, `A token of cache: ${plan.kv_sum} = ${count(plan.kv_bytes_per_token)} bytes`));
  return out;
}

function backendCard(id, one) {
  const facts = Object.entries(one.facts || {}).filter(([name]) => name !== "memory");
  const plain = facts.filter(([, value]) => value === null || typeof value !== "object");
  const deep = facts.filter(([, value]) => value && typeof value === "object");
  return card(id, h("p", {}, one.failure ? mark("error", one.failure) : mark("ok", one.detail || "ready"), one.local ? "" : ` · circuit ${one.circuit}`), drawings(one.facts || {}),
    plain.length ? h("dl", { class: "facts" }, plain.map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, named(value))])) : null,
    deep.map(([name, value]) => h("details", {}, h("summary", {}, `${name.replaceAll("_", " ")} (${Array.isArray(value) ? value.length : Object.keys(value).length})`), h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)))));
}

function calls(node, { calls: all }) {
  if (!all.length) return node.append(notice("No model was asked yet."));
  const speed = (tokens, us) => (us > 0 && tokens > 0 ? `${Math.round((tokens * 1e6) / us)}/s` : "–");
  node.append(table("Last calls", [
    ["When", (one) => h("time", { datetime: one.started, title: wholeTime(one.started) }, time(one.started))], ["For", (one) => [one.purpose, h("div", { class: "small muted" }, one.agent)]], ["Model", (one) => [one.model, h("div", { class: "small muted" }, one.served_by || one.backend)]],
    ["In", (one) => count(one.prompt_tokens), "number"], ["Cached", (one) => count(one.cached_tokens), "number"], ["Out", (one) => count(one.output_tokens), "number"],
    ["Prefill", (one) => speed(one.prompt_tokens - one.cached_tokens, one.prefill_us), "number"], ["Decode", (one) => speed(one.output_tokens, one.decode_us), "number"], ["Took", (one) => duration(one.duration_us / 1000), "number"],
    ["", (one) => (one.error ? mark("error", one.error) : one.run_id ? h("a", { href: `/runs/${one.run_id}` }, "run") : null)],
  ], all));
}

// A few tokens, for which nobody waits; what came of it stands in its row.
async function drill({ backend, traffic }, tried) {
  announce(`${backend} is tried.`);
  await call("POST", "/v1/drills", { backend, traffic }).catch((error) => announce(error.message));
  (await tried)();
}

const speeds = (node, { data }) => node.append(h("div", { class: "charts" }, speedCharts(lastDays(SPAN), data)));

export async function show(main, { session }) {
  const body = page(main, "Models");
  const backends = h("div", { class: "cards" }), aliases = h("div"), drills = h("div"), days = h("div"), last = h("div");
  body.append(backends, card(`Over ${SPAN} days, yours`, days), card("Names and their chains", aliases));
  const again = fill(backends, "/health", (node, health) => node.append(...Object.entries(health.backends || {}).map(([id, one]) => backendCard(id, one))));
  fill(aliases, "/v1/models", (node, { data }) => node.append(table("Names and their chains", [["Name", (one) => h("span", { class: "mono strong" }, one.id)], ["Answered by, in this order", (one) => one.chain.join(" → ")], ["Known for", (one) => one.character || (one.strengths || []).join(", ") || "–"]], data.filter((one) => one.chain))));
  fill(days, USED, speeds);
  if (session.scopes.includes("admin")) {
    body.append(card("Drills", drills));
    const tried = fill(drills, "/v1/drills", (node, { data }) => node.append(data.length ? table("Drills", [["Backend", (one) => one.backend], ["How", (one) => one.traffic], ["Last worked", (one) => (one.worked ? mark("ok", wholeTime(one.worked)) : mark("warn", "never"))], ["", (one) => (one.failure ? mark("error", one.failure) : null)], ["", (one) => h("button", { type: "button", onclick: () => drill(one, tried) }, "Try now")]], data) : notice("Nothing to drill.", "Servers of models elsewhere are tried from time to time.")));
  }
  body.append(card("Last calls", last));
  fill(last, "/v1/usage?days=7&calls=50", calls);
  return every(10000, async () => (await again)());
}
