// Whether the pipeline's nodes drift: what the newest night found, what each costs now, and why a question is routed as it is.
import { h, notice, svg } from "./dom.js";
import { duration } from "./format.js";
import { card, fill, mark, page, table } from "./page.js";

const GATES = { insufficient_data: "too few days", advisory: "advice only", half: "half authority", full: "full authority" };
const FULL = 30; // days until a node's charts have all of their weight
const CHARTS = [["level", "Slower"], ["spread", "Wider"], ["errors", "Failing"]];

const drifts = (node) => (node.gate === "insufficient_data" ? ["quiet", "not judged yet"] : node.acting ? ["error", "avoided"] : node.drift_score > 1 ? ["warn", "drifts"] : ["ok", "as usual"]);

// A chart over its limit, which is 1: harm to the right of the line.
function chart(value) {
  const most = 3;
  const width = (100 * Math.min(Math.max(value, 0), most)) / most;
  return svg("svg", { class: "limit", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { class: "back", x: 0, y: 0, width: 100, height: 10 }), svg("rect", { class: value > 1 ? "over" : "under", x: 0, y: 0, width, height: 10 }), svg("rect", { class: "line", x: 100 / most, y: -1, width: 0.8, height: 12 }));
}

const shown = (value) => (typeof value === "number" ? value.toFixed(2) : "–");

export async function show(main) {
  const body = page(main, "MathCore");
  await fill(body, "/v1/mathcore", (node, { day, regime, signal, lambda_max, alpha, coupling, nodes }) => {
    node.append(card(day ? `The night to ${day}` : "No night yet", day ? h("dl", { class: "facts" }, h("dt", {}, "Regime"), h("dd", {}, String(regime).replaceAll("_", " ")), h("dt", {}, "Authority"), h("dd", {}, `α ${shown(alpha)}`), h("dt", {}, "Signal"), h("dd", {}, signal || "none"), h("dt", {}, "λ max"), h("dd", {}, shown(lambda_max)))
      : h("p", { class: "muted" }, "The batch at night judges what the days before measured; it begins after a week.")));
    if (!nodes.length) return node.append(notice("No node was measured yet."));
    node.append(card("Nodes", table("Nodes", [
      ["Node", (one) => [h("span", { class: "strong" }, one.node), one.label !== "unknown" ? h("div", { class: "small muted" }, one.label.replaceAll("_", " ")) : null]], ["", (one) => mark(...drifts(one))],
      ["Days", (one) => [`${one.days}`, h("div", { class: "small muted" }, one.days < FULL ? `${FULL - one.days} until full authority` : GATES[one.gate] || one.gate)]],
      ...CHARTS.map(([name, word]) => [word, (one) => [chart(one.charts[name]), h("span", { class: "small muted" }, shown(one.charts[name]))]]),
      ["Takes", (one) => [duration(one.cost.seconds * 1000), h("div", { class: "small muted" }, `usual ${duration(one.cost.usual_seconds * 1000)}`)], "number"], ["Weight", (one) => shown(one.cost.weight), "number"], ["Why", (one) => h("span", { class: "small" }, one.reason)],
    ], nodes)));
    if (coupling && Object.keys(coupling).length) node.append(card("Which have bad days together", h("pre", { tabindex: "0" }, JSON.stringify(coupling, null, 2))));
  });
}
