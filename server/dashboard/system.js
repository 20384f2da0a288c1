// How the machine is: what to mend, what is logged, what is measured, how it is set.
import { byDay, chart, lastDays } from "./charts.js";
import { failure, h, notice, put, svg } from "./dom.js";
import { count, duration } from "./format.js";
import { card, fill, mark, page, table } from "./page.js";
import { note } from "./router.js";
import { call, every } from "./store.js";
import { PATH as USED, SPAN, speedCharts } from "./usage_charts.js";

const KINDS = { ok: ["ok", "fine"], warning: ["warn", "look at it"], failed: ["error", "failed"], unknown: ["quiet", "not known"] };
const LEVELS = ["debug", "info", "warn", "error"];
const KEPT = 60; // values of a line of measurements

function drawProbes(node, health) {
  const graver = (probe) => ["failed", "warning", "unknown", "ok"].indexOf(probe.health);
  const probes = [...(health.probes || [])].sort((a, b) => graver(a) - graver(b));
  put(node, table("What was looked at", [["State", (one) => mark(...KINDS[one.health])], ["Part", (one) => h("span", { class: "strong" }, one.name), "whole"],
    ["Found", (one) => [one.found, one.remedy && one.health !== "ok" ? h("p", { class: "small muted" }, `→ ${one.remedy}`) : null]]], probes));
}

// "name{labels} value" of Prometheus' text.
function* samples(text) {
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})?\s+(\S+)/.exec(line);
    if (found && !found[1].endsWith("_bucket")) yield [found[1] + (found[2] || ""), Number(found[3])];
  }
}

function spark(values) {
  const least = Math.min(...values), most = Math.max(...values);
  const points = values.map((value, at) => `${((100 * at) / Math.max(1, values.length - 1)).toFixed(1)},${(22 - (20 * (value - least)) / (most - least || 1)).toFixed(1)}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("polyline", { points: points.join(" ") }));
}

// All of them, while somebody looks.
function metrics(node) {
  const kept = new Map();
  const one = (name, values) => {
    const [, plain, labels] = /^([^{]*)(.*)$/.exec(name);
    return h("div", {}, h("div", { class: "small mono" }, plain.replace(/^hearth_/, "").replaceAll("_", " ")), h("div", { class: "small muted mono" }, labels.slice(1, -1)), h("div", { class: "row" }, h("span", { class: "strong" }, count(Math.round(values[values.length - 1] * 100) / 100)), spark(values)));
  };
  return async () => {
    if (!node.closest("details").open) return;
    for (const [name, value] of samples(await call("GET", "/metrics"))) kept.set(name, [...(kept.get(name) || []), value].slice(-KEPT));
    put(node, h("div", { class: "sparks", tabindex: "0", role: "region", "aria-label": "Measurements" }, [...kept].map(([name, values]) => one(name, values))));
  };
}

function log(root, query) {
  const level = h("select", { "aria-label": "Least level", onchange: () => look() }, LEVELS.map((one) => h("option", { value: one, selected: one === (query.get("level") || "info") }, one)));
  const filter = h("input", { type: "search", placeholder: "Text", "aria-label": "Text in the log", "data-search": true, value: query.get("text") || "", oninput: () => draw() });
  const lines = h("div", { class: "log", tabindex: "0", role: "log", "aria-label": "Log" });
  let entries = [];
  const line = (entry) => {
    const fields = Object.entries(entry.fields || {}).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    return `${entry.time.slice(11, 19)} ${entry.level.padEnd(5)} ${entry.event}  ${fields.join(" ")}`;
  };
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const down = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    put(lines, entries.filter((entry) => JSON.stringify(entry).toLowerCase().includes(wanted)).map((entry) => h("div", { class: entry.level }, line(entry))));
    if (!lines.childElementCount) put(lines, h("div", { class: "muted" }, "Nothing of that kind was logged."));
    if (down) lines.scrollTop = lines.scrollHeight;
    note(new URLSearchParams([["level", level.value], ["text", filter.value]].filter(([, value]) => value && value !== "info")));
  };
  const look = async () => {
    entries = (await call("GET", `/logs?limit=500&level=${level.value}`)).entries;
    draw();
  };
  root.append(card("Log", h("div", { class: "chips" }, level, h("div", { class: "search" }, filter)), lines));
  return look;
}

// What models were asked in these days, of everybody where whoever looks may see that.
function overDays(node, { data }) {
  const days = lastDays(SPAN);
  const sum = (field) => byDay(days, data, (one) => one[field]).map((value) => value ?? 0);
  const known = (field) => byDay(days, data, (one) => one[field]);
  node.append(h("div", { class: "charts" },
    chart("Requests to models", days, [{ name: "requests", values: sum("calls"), bar: true }, { name: "failed", values: sum("failures"), bar: true }], { write: count, least: 4 }),
    chart("Time of a request", days, [{ name: "half are done in", values: known("p50_ms") }, { name: "95 % in", values: known("p95_ms") }], { write: duration }),
    speedCharts(days, data),
    chart("Tokens", days, [{ name: "read", values: sum("prompt_tokens"), bar: true }, { name: "written", values: sum("output_tokens"), bar: true }], { write: count, least: 100 }),
    chart("Cost", days, [{ name: "cost", values: sum("cost"), bar: true }], { write: (value) => value.toFixed(value < 0.1 ? 3 : 2), least: 0.05 })));
}

export async function show(main, { query, session }) {
  const body = page(main, "System");
  const admin = session.scopes.includes("admin");
  const probes = h("div"), walls = h("div"), days = h("div"), spent = h("div"), settings = h("div");
  body.append(card("What to mend", probes), card(`The last ${SPAN} days`, days), card(`Used in ${SPAN} days`, spent));
  fill(days, `${USED}&of=${admin ? "house" : "me"}`, overDays);
  const ends = [];
  const look = async () => {
    try {
      drawProbes(probes, await call("GET", "/health"));
    } catch (error) {
      put(probes, error.status === 503 ? notice("The server cannot answer yet.", "A model may still load; this page looks again.") : failure(error, look));
    }
  };
  ends.push(every(15000, look));
  if (admin) ends.push(every(4000, log(body, query)));
  if (admin) {
    const measure = metrics(walls);
    body.append(card("Measured since the start", h("details", { ontoggle: measure }, h("summary", {}, "Every counter of this server"), walls)));
    ends.push(every(5000, measure));
  }
  const names = admin ? new Map((await call("GET", "/v1/people").catch(() => ({ data: [] }))).data.map((one) => [one.id, one.name])) : new Map();
  fill(spent, `/v1/usage?days=${SPAN}&calls=0&by=${admin ? "person" : "agent"}`, (node, { shares }) => node.append(shares.length ? table("Used", [[admin ? "Person" : "Agent", (one) => names.get(one.key) || one.key], ["Calls", (one) => count(one.calls), "number"], ["Failed", (one) => count(one.failures), "number"],
    ["Tokens in", (one) => count(one.prompt_tokens), "number"], ["Cached", (one) => count(one.cached_tokens), "number"], ["Tokens out", (one) => count(one.output_tokens), "number"], ["Cost", (one) => one.cost.toFixed(2), "number"]], shares) : notice("No model was asked yet.")));
  if (admin) {
    body.append(card("Settings", settings));
    fill(settings, "/v1/settings", (node, { data }) => node.append(table("Settings", [["Setting", (one) => h("span", { class: "mono" }, one.name)], ["Value", (one) => h("span", { class: "mono" }, one.value || "–")], ["From", (one) => one.from], ["", (one) => h("span", { class: "small muted" }, one.help)]], data)));
  }
  return () => ends.forEach((end) => end());
}
