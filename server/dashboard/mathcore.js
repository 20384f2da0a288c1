// Whether the pipeline's nodes drift: what the newest night found, how each fared over days, what it costs now, and why a question is routed as it is.
import { byDay, chart, daysBetween, strip } from "./charts.js";
import { failure, h, notice, put, svg } from "./dom.js";
import { count, duration } from "./format.js";
import { card, chips, fill, mark, page, table } from "./page.js";
import { note } from "./router.js";
import { load } from "./store.js";

const GATES = { insufficient_data: "too few days", advisory: "advice only", half: "half authority", full: "full authority" };
const REGIMES = { insufficient_data: ["quiet", "too few days"], nominal: ["ok", "as usual"], improved: ["ok", "improved"], degraded: ["error", "degraded"], coupled: ["error", "bad together"], outlier: ["warn", "one bad day"] };
const FULL = 30; // days until a node's charts have all of their weight
const CHARTS = [["level", "Slower"], ["spread", "Wider"], ["errors", "Failing"]];
const RANGES = [["30", "30 days"], ["90", "90 days"], ["365", "A year"]];
const TOGETHER = 0.3; // a correlation from which on two nodes have their bad days together

const drifts = (node) => (node.gate === "insufficient_data" ? ["quiet", "not judged yet"] : node.acting ? ["error", "avoided"] : node.drift_score > 1 ? ["warn", "drifts"] : ["ok", "as usual"]);
const shown = (value) => (typeof value === "number" ? (Math.abs(value) < 0.005 ? 0 : value).toFixed(2) : "–");

// A chart over its limit, which is 1: harm to the right of the line.
function gauge(value) {
  const most = 3;
  const width = (100 * Math.min(Math.max(value, 0), most)) / most;
  return svg("svg", { class: "limit", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { class: "back", x: 0, y: 0, width: 100, height: 10 }), svg("rect", { class: value > 1 ? "over" : "under", x: 0, y: 0, width, height: 10 }), svg("rect", { class: "line", x: 100 / most, y: -1, width: 0.8, height: 12 }));
}

function together({ nodes = [], gamma = [] }) {
  const pairs = nodes.flatMap((one, a) => nodes.slice(a + 1).map((other, n) => [one, other, gamma[a][a + 1 + n]])).filter(([, , value]) => Math.abs(value) >= TOGETHER).sort((a, b) => b[2] - a[2]);
  return pairs.length ? table("Which have bad days together", [["Nodes", ([one, other]) => `${one} and ${other}`], ["Correlation", ([, , value]) => shown(value), "number"]], pairs) : h("p", { class: "muted" }, "No two of them.");
}

function drawNow(node, { day, regime, signal, lambda_max, alpha, coupling, nodes }, choose) {
  node.append(card(day ? `The night to ${day}` : "No night yet", day ? h("dl", { class: "facts" }, h("dt", {}, "Regime"), h("dd", {}, mark(...(REGIMES[regime] || ["quiet", String(regime)]))), h("dt", {}, "Authority"), h("dd", {}, `α ${shown(alpha)}`), h("dt", {}, "λ max"), h("dd", {}, shown(lambda_max)), h("dt", {}, "Prompts carry"), h("dd", { class: "mono" }, signal || "nothing"))
    : h("p", { class: "muted" }, "The batch at night judges what the days before measured; it begins after a week.")));
  if (!nodes.length) return void node.append(notice("No node was measured yet."));
  node.append(card("Nodes", table("Nodes", [
    ["Node", (one) => [h("a", { href: `/mathcore?node=${one.node}`, class: "plain strong", onclick: (event) => { event.preventDefault(); choose(one.node); } }, one.node), h("div", { class: "small muted" }, one.days < FULL ? `${one.days} days, ${FULL - one.days} until full authority` : GATES[one.gate] || one.gate)]],
    ["State", (one) => [mark(...drifts(one)), one.reason ? h("div", { class: "small muted" }, one.reason) : null]],
    ...CHARTS.map(([name, word]) => [word, (one) => (one.gate === "insufficient_data" ? h("span", { class: "muted" }, "–") : [shown(one.charts[name]), gauge(one.charts[name])]), "half"]),
    ["Takes", (one) => [duration(one.cost.seconds * 1000), h("div", { class: "small muted" }, `usual ${duration(one.cost.usual_seconds * 1000)}`)], "number"], ["Weight", (one) => shown(one.cost.weight), "number"],
  ], nodes)), card("Which have bad days together", together(coupling || {})));
}

function drawNode(days, known, now) {
  const usual = now && now.baseline && now.baseline.log_mean !== undefined ? [{ name: "usual", value: Math.exp(now.baseline.log_mean), kind: "usual" }] : [];
  return h("div", { class: "charts" },
    chart("Takes, mean of a day", days, [{ name: "mean", values: byDay(days, known.measured, (one) => one.mean_ms) }], { write: duration, limits: usual }),
    chart("Drift, each chart over its limit", days, CHARTS.map(([name, word]) => ({ name: word.toLowerCase(), values: byDay(days, known.judged, (one) => one[name]) })), { write: shown, limits: [{ name: "limit", value: 1 }], least: 1.2 }),
    chart("Weight on its cost", days, [{ name: "weight", values: byDay(days, known.judged, (one) => one.weight) }], { write: shown, least: 0.5 }),
    chart("Executions", days, [{ name: "all", values: byDay(days, known.measured, (one) => one.samples), bar: true }, { name: "failed", values: byDay(days, known.measured, (one) => Math.round(one.samples * one.error_rate)), bar: true }], { write: count, least: 2 }));
}

export async function show(main, { query }) {
  const body = page(main, "MathCore");
  const now = h("div"), over = h("div");
  const range = { days: query.get("days") || "30", node: query.get("node") || "" };
  let nodes = [], told = null;
  const draw = () => {
    const days = daysBetween(told.from, told.until);
    const names = told.nodes.map((one) => one.node);
    if (!names.includes(range.node)) range.node = ([...nodes].sort((a, b) => b.drift_score - a.drift_score)[0] || {}).node || names[0];
    const known = told.nodes.find((one) => one.node === range.node);
    put(over, card("Over days", chips("How far back", RANGES, range.days, (value) => { range.days = value; note(new URLSearchParams(range)); look(); }), strip("Regime", days, byDay(days, told.nights, (one) => one.regime), REGIMES)),
      known ? card(`Node ${range.node} over days`, chips("Node", names.map((name) => [name, name]), range.node, choose), drawNode(days, known, nodes.find((one) => one.node === range.node))) : notice("No day was measured yet.", "Charts stand here once the pipeline has answered for a day."));
  };
  const choose = (name) => {
    range.node = name;
    note(new URLSearchParams(range));
    if (told) draw();
    over.scrollIntoView({ block: "start" });
  };
  const look = async () => {
    try {
      await load(`/v1/mathcore/days?days=${range.days}`, (answer) => { told = answer; draw(); });
    } catch (error) {
      put(over, failure(error, look));
    }
  };
  body.append(now, over);
  await fill(now, "/v1/mathcore", (node, answer) => { nodes = answer.nodes; drawNow(node, answer, choose); });
  await look();
}
