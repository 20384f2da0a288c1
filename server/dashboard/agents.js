// The agents that whoever looks may call: what each may do, and whom it may ask.
import { h, put, svg } from "./dom.js";
import { card, fill, page, table, tag } from "./page.js";
import { watchRuns } from "./strip.js";

const ROW = 52, LEFT = 1, BOX = 136, MIDDLE = 246, WIDTH = 400;

// Agents at the left, what they may use or ask at the right; an edge is lit while a run of the agent goes on.
function graph(agents) {
  const targets = [...new Set(agents.flatMap((one) => [...one.asks, ...one.tools, ...(one.all_tools ? [`all tools of ${one.scope}`] : [])]))];
  const height = Math.max(agents.length * ROW, targets.length * 26) + 16;
  const at = new Map(targets.map((name, n) => [name, 20 + n * Math.min(26, (height - 32) / Math.max(1, targets.length - 1))]));
  const step = (height - 24) / Math.max(1, agents.length);
  const node = svg("svg", { class: "graph", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": "Which agent may use what; the table below says the same" });
  agents.forEach((one, n) => {
    const y = 12 + step * (n + 0.5);
    for (const name of [...one.asks, ...one.tools, ...(one.all_tools ? [`all tools of ${one.scope}`] : [])])
      node.append(svg("path", { class: "edge", "data-agent": one.name, d: `M${LEFT + BOX},${y} C${LEFT + BOX + 55},${y} ${MIDDLE - 55},${at.get(name)} ${MIDDLE},${at.get(name)}` }));
    node.append(svg("rect", { class: "agent", "data-agent": one.name, x: LEFT, y: y - 17, width: BOX, height: 34, rx: 8 }), svg("text", { x: LEFT + 10, y: y + 4.5 }, one.name));
  });
  for (const [name, y] of at) node.append(svg("circle", { class: "end", cx: MIDDLE + 4, cy: y, r: 3.5 }), svg("text", { class: "small", x: MIDDLE + 14, y: y + 4 }, name));
  return node;
}

export async function show(main) {
  const body = page(main, "Agents");
  const drawing = h("div");
  const list = h("div");
  body.append(card("Who may use what", drawing), card("Agents", list));
  await fill(list, "/v1/agents", (node, { data }) => {
    put(drawing, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Drawing" }, graph(data)));
    node.append(table("Agents", [
      ["Agent", (one) => [h("span", { class: "strong" }, one.name), h("div", { class: "small muted" }, one.purpose)]], ["Works in", (one) => [tag(one.scope), " ", one.machine === "pipeline" ? "phases" : "one loop"]], ["Called with", (one) => tag(one.key)],
      ["Tools", (one) => (one.all_tools ? `all of ${one.scope}` : one.tools.join(", ") || "none")], ["May ask", (one) => one.asks.join(", ") || "nobody"], ["Is told", (one) => (one.prompt ? h("a", { href: `/prompts/${one.prompt}` }, one.prompt) : "")], ["", (one) => h("a", { class: "button", href: `/chat?agent=${encodeURIComponent(one.name)}`, "aria-label": `Ask ${one.name}` }, "Ask…")],
    ], data));
  });
  return watchRuns((runs) => {
    const lit = new Set(runs.map((run) => run.model));
    for (const one of drawing.querySelectorAll("[data-agent]")) one.classList.toggle("lit", lit.has(one.dataset.agent));
  });
}
