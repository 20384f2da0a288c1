// Runs by tool and by day: how many, how many failed, how long they took.
import { byDay, chart, lastDays } from "./charts.js";
import { h, notice } from "./dom.js";
import { count, duration } from "./format.js";
import { fill, table } from "./page.js";

// Draws them into the node; choose(tool) is what a row does.
export function showSums(node, days, tool, choose) {
  const query = new URLSearchParams({ days, ...(tool ? { tool } : {}) });
  return fill(node, `/v1/runs/sums?${query}`, (place, sums) => {
    if (!sums.tools.length && !sums.days.length) return place.append(notice("Nothing ran in these days."));
    const all = lastDays(days);
    const sum = (field) => byDay(all, sums.days, (one) => one[field]).map((value) => value ?? 0);
    const known = (field) => byDay(all, sums.days, (one) => one[field]);
    place.append(h("div", { class: "charts" },
      chart(tool ? `Runs that called ${tool}` : "Runs", all, [{ name: "runs", values: sum("count"), bar: true }, { name: "failed", values: sum("failures"), bar: true }], { write: count, least: 4 }),
      chart("Time of a run", all, [{ name: "half are done in", values: known("p50_ms") }, { name: "95 % in", values: known("p95_ms") }], { write: duration })),
    table("Calls by tool", [["Tool", (one) => h("button", { class: "bare", type: "button", "aria-pressed": String(one.tool === tool), onclick: () => choose(one.tool === tool ? "" : one.tool) }, one.tool)],
      ["Calls", (one) => count(one.count), "number"], ["In runs", (one) => count(one.runs), "number"], ["Failed", (one) => count(one.failures), "number"],
      ["Half are done in", (one) => duration(one.p50_ms), "number"], ["95 % in", (one) => duration(one.p95_ms), "number"]], sums.tools));
  });
}
