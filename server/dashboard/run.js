// One run: what was asked and answered, and all that it did, step by step, in time.
import { announce, dialog, failure, h, notice, put, svg } from "./dom.js";
import { count, duration, goesOn, short, tookMs, wholeTime } from "./format.js";
import { markdown } from "./markdown.js";
import { go, note } from "./router.js";
import { call, listen } from "./store.js";
import { stopRun } from "./strip.js";
import { stateMark } from "./turn.js";

const startOf = (span) => Date.parse(span.started) * 1000; // µs
const DEEPEST = 5;

// Spans as a tree, in the order in which they began: [span, depth].
function ordered(spans) {
  const below = new Map();
  const known = new Set(spans.map((span) => span.id));
  for (const span of spans) {
    const parent = known.has(span.parent) ? span.parent : null;
    below.set(parent, [...(below.get(parent) || []), span]);
  }
  const out = [];
  const walk = (parent, depth) => {
    for (const span of (below.get(parent) || []).sort((a, b) => startOf(a) - startOf(b))) {
      out.push([span, depth]);
      walk(span.id, depth + 1);
    }
  };
  walk(null, 0);
  return out;
}

function bar(span, from, whole) {
  const x = (100 * (startOf(span) - from)) / whole;
  const width = Math.max(0.6, (100 * span.duration_us) / whole);
  const kind = span.error ? "failed" : ["run", "phase", "model", "tool"].find((one) => span.kind.startsWith(one)) || "run";
  return svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "back", x: 0, y: 4.5, width: 100, height: 1 }), svg("rect", { class: kind, x: Math.min(x, 99.4), y: kind === "run" || kind === "phase" ? 3 : 0, width, height: kind === "run" || kind === "phase" ? 4 : 10, rx: 0.6 }));
}

function shownValue(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return h("pre", { tabindex: "0" }, short(text, 200000));
}

function spanDetail(span, run) {
  const facts = Object.entries(span.attributes || {}).filter(([, value]) => value !== "" && value !== null && typeof value !== "object");
  const things = Object.entries(span.attributes || {}).filter(([, value]) => value && typeof value === "object");
  const link = `${location.origin}/v1/runs/${run.id}`;
  return [
    h("h2", {}, `${span.kind} ${span.name}`),
    span.error ? h("p", { class: "state error" }, h("span", { class: "dot error" }), span.error) : null,
    h("dl", { class: "facts" }, h("dt", {}, "began"), h("dd", {}, wholeTime(span.started)), h("dt", {}, "took"), h("dd", {}, duration(span.duration_us / 1000)), facts.map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, String(value))])),
    things.map(([name, value]) => h("details", {}, h("summary", {}, name.replaceAll("_", " ")), shownValue(value))),
    Object.entries(span.body || {}).map(([name, value]) => h("details", { open: ["arguments", "result", "response", "message", "error"].includes(name) }, h("summary", {}, name.replaceAll("_", " ")), h("div", { class: span.kind === "tool" && name !== "arguments" ? "untrusted" : "" }, shownValue(value)))),
    h("div", { class: "row" }, span.kind === "model" && h("button", { type: "button", onclick: () => askReplay(run, span) }, "Replay with…"),
      h("button", { type: "button", onclick: async () => { await navigator.clipboard.writeText(`curl -H "Authorization: Bearer $(cat ~/.config/hearth/key)" ${link}`); announce("Copied."); } }, "Copy as curl")),
  ];
}

async function askReplay(run, span) {
  const names = await call("GET", "/v1/models").then(({ data }) => data.filter((one) => one.owned_by !== "hearth").map((one) => one.id)).catch(() => []);
  const model = h("select", {}, h("option", { value: "" }, "The model that was asked"), names.map((name) => h("option", { value: name }, name)));
  const prompt = h("input", { placeholder: "NAME@VERSION" });
  const result = h("div", { "aria-live": "polite" });
  const replay = async () => {
    put(result, h("p", { class: "muted" }, "It is being asked…"));
    try {
      const answer = await call("POST", `/v1/runs/${run.id}/replay`, { span_id: span.id, model: model.value || null, prompt: prompt.value.trim() || null });
      const words = (one) => (one ? one.error || JSON.stringify(one.message, null, 2) : "The prompt was not part of this call.");
      put(result, h("p", { class: "strong" }, answer.same ? "The same as then." : "Not the same as then."), h("p", { class: "small muted" }, "Then"), h("pre", {}, words(answer.was)), h("p", { class: "small muted" }, "Now"), h("pre", {}, words(answer.now)));
    } catch (error) {
      put(result, failure(error));
    }
  };
  dialog("Ask it again", [h("p", { class: "muted" }, "No tool runs, and nothing is kept."), h("label", { class: "field" }, "Model", model), h("label", { class: "field" }, "With another version of a prompt", prompt), result], [["Ask", replay]]);
}

function askFork(run) {
  const step = h("select", {}, run.steps.filter((one) => one.state !== "intent").map((one, at) => h("option", { value: one.id }, `${at}. ${one.kind} ${one.name}`)));
  if (step.options.length) step.selectedIndex = step.options.length - 1;
  const text = h("textarea", { rows: 3 });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const fork = async (close) => {
    try {
      const made = await call("POST", `/v1/runs/${run.id}/fork`, { step: step.value, ...(text.value.trim() ? { text: text.value.trim() } : {}) });
      close();
      go(`/chat/${made.conversation_id}`);
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  dialog("Fork", [h("p", { class: "muted" }, "A new run goes on where this one was after a step. What it did until then is not done again."), wrong, h("label", { class: "field" }, "After", step), h("label", { class: "field" }, "Added words", text)], [["Fork", fork]]);
}

class Trace {
  constructor(run, query) {
    this.run = run;
    this.detail = h("section", { class: "card", "aria-label": "The span", "aria-live": "polite" });
    this.rows = h("ol", { class: "fall" });
    const all = ordered(run.spans);
    const from = Math.min(...all.map(([span]) => startOf(span)));
    const whole = Math.max(1, ...all.map(([span]) => startOf(span) + span.duration_us - from));
    for (const [span, depth] of all) this.rows.append(this.row(span, depth, from, whole));
    this.node = h("div", { class: "trace" }, h("section", { class: "card", "aria-label": "What it did, in time" }, h("h2", {}, "In time"), all.length ? this.rows : h("p", { class: "muted" }, "Nothing is written down yet.")), this.detail);
    const first = all.find(([span]) => span.id === query.get("span")) || all.find(([span]) => span.error && span.kind !== "run") || all[0];
    if (first) this.choose(first[0], false);
    else this.detail.hidden = true;
  }

  row(span, depth, from, whole) {
    const label = h("span", { class: "cut" }, `${span.kind === "run" ? "" : span.kind + " "}${span.name}`);
    label.style.paddingLeft = `${Math.min(depth, DEEPEST) * 12}px`;
    const took = duration(span.duration_us / 1000);
    return h("li", {}, h("button", { type: "button", "data-row": true, "data-span": span.id, "aria-label": `${span.kind} ${span.name}, ${took}${span.error ? ", failed" : ""}`, onclick: () => this.choose(span, true) }, label, bar(span, from, whole), h("span", { class: "took" }, took)));
  }

  choose(span, address) {
    for (const one of this.rows.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.span === span.id));
    put(this.detail, spanDetail(span, this.run));
    if (address) note(new URLSearchParams({ span: span.id }));
  }
}

function facts(run) {
  const usage = run.usage || {};
  const rows = [["Agent", run.model], ["Began", wholeTime(run.started)], ["Took", duration(tookMs(run))], ["Tokens", `${count(usage.prompt_tokens)} in, ${count(usage.cached_tokens)} of them cached, ${count(usage.output_tokens)} out`], ["Chain", run.chain]];
  if (run.forked_from) rows.push(["Forked from", h("a", { href: `/runs/${run.forked_from.run}` }, run.forked_from.run)]);
  if (run.error) rows.push(["Error", run.error]);
  return h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function draw(root, run, query) {
  const going = goesOn(run.status);
  const answer = h("div", { class: "answer" }, run.answer ? markdown(run.answer) : h("p", { class: "muted" }, going ? "Not yet." : "There is none."));
  put(root,
    h("header", {}, h("a", { href: "/runs", class: "button" }, "All runs"), h("h1", { class: "cut" }, short(run.question || "Run", 120)), stateMark(run.status),
      going && h("button", { class: "danger", type: "button", "data-run": run.id, onclick: () => stopRun(run.id).catch((error) => announce(error.message)) }, "Stop"),
      run.steps.some((step) => step.state !== "intent") && h("button", { type: "button", onclick: () => askFork(run) }, "Fork…"),
      h("a", { class: "button", href: `/chat/${run.conversation_id}` }, "Conversation")),
    run.approval && h("section", { class: "card" }, h("p", { class: "strong" }, `It waits for your word on ${run.approval.tool}.`), h("a", { href: `/chat/${run.conversation_id}` }, "Decide in the conversation")),
    h("div", { class: "trace" }, h("section", { class: "card", "aria-label": "Question and answer" }, h("h2", {}, "Answer"), answer), h("section", { class: "card", "aria-label": "Facts" }, h("h2", {}, "Run"), facts(run))),
    new Trace(run, query).node);
  if (going) root.dataset.shownRun = run.id;
  else delete root.dataset.shownRun;
}

export async function showRun(main, id) {
  const root = main.appendChild(h("div", { class: "page" }));
  let ends = () => {};
  let waits = 0;
  const look = async () => {
    try {
      const run = await call("GET", `/v1/runs/${id}`);
      document.title = `${short(run.question || "Run", 60)} · Hearth`;
      draw(root, run, new URLSearchParams(location.search));
      return run;
    } catch (error) {
      put(root, error.status === 404 ? notice("There is no such run.", "It may be somebody else's.", h("a", { href: "/runs" }, "All runs")) : failure(error, look));
      return null;
    }
  };
  const soon = () => { if (!waits) waits = setTimeout(() => { waits = 0; look(); }, 700); };
  const run = await look();
  if (run && goesOn(run.status)) ends = listen(`/v1/runs/${id}/events`, (name) => { if (name !== "text" && name !== "reasoning") soon(); });
  return () => {
    clearTimeout(waits);
    ends();
  };
}
