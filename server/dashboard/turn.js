// One turn of a conversation: what was asked, and the answer as it comes, with the tools between.
import { announce, h, icon, put } from "./dom.js";
import { argumentLine, count, duration, goesOn, stateOf, tookMs } from "./format.js";
import { markdown } from "./markdown.js";
import { call, download } from "./store.js";

const PHASES = { arbiter: "sorting", intake: "understanding", retrieve: "remembering", copilot: "using tools", thinking: "thinking", recompose: "answering", write_memory: "keeping" };

export const textOf = (content) => (typeof content === "string" ? content : (content || []).map((part) => part.text || "").join("\n"));

export const personWords = (text) => h("div", { class: "person-words" }, text);

export function stateMark(status) {
  const [kind, word] = stateOf(status);
  return h("span", { class: `state ${kind}` }, h("span", { class: `dot ${kind}` }), word);
}

function shownValue(value) {
  return h("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

// A tool call in one line, which opens in place.
class ToolLine {
  constructor(name, input) {
    this.end = h("span", { class: "muted" }, "…");
    this.result = h("div");
    this.node = h("details", { class: "tool-line" },
      h("summary", {}, icon("tool"), h("span", { class: "strong" }, name), h("span", { class: "cut grow muted mono" }, argumentLine(input)), this.end),
      h("div", { class: "inside" }, h("p", { class: "small muted" }, "Arguments"), shownValue(input), this.result));
  }

  finish({ ok, ms, text }) {
    put(this.end, ok === false ? h("span", { class: "state error" }, h("span", { class: "dot error" }), "failed") : ms !== undefined ? duration(ms) : "done");
    put(this.result, h("p", { class: "small muted" }, "Result"), h("div", { class: "untrusted" }, shownValue(text || "")));
  }
}

export class Turn {
  constructor() {
    this.body = h("div", { class: "answer-parts" });
    this.came = h("div", { class: "files" });
    this.progress = h("div", { class: "progress" });
    this.foot = h("div", { class: "foot" });
    this.node = h("article", { class: "turn", tabindex: "-1" }, this.came, this.body, this.progress, this.foot);
    this.told = []; // events, for when some are taken back
    this.clear();
  }

  clear() {
    this.body.replaceChildren();
    this.card = null;
    this.tools = new Map();
    this.text = null;
    this.thoughts = null;
  }

  // What came along with the question, as it came.
  bring(files) {
    put(this.came, files.map((one) => {
      const name = one.name || one.media;
      const save = h("button", { class: "chip", type: "button", "aria-label": `Save ${name}`, onclick: () => download(`/v1/blobs/${one.id}`, name).catch((error) => announce(error.message)) }, name);
      return one.state === "kept" ? save : h("span", { class: "small muted" }, `${name}: ${one.error || "still to be fetched"}`);
    }));
  }

  ask(text) {
    this.question = this.question || text;
    this.text = this.thoughts = null;
    this.body.append(personWords(text));
  }

  say(piece) {
    this.thoughts = null;
    if (!this.text) {
      this.text = { node: h("div", { class: "answer" }), all: "", waits: false };
      this.body.append(this.text.node);
    }
    const part = this.text;
    part.all += piece;
    if (part.waits) return;
    part.waits = true; // drawn once a frame, however many words come in it
    requestAnimationFrame(() => {
      part.waits = false;
      put(part.node, markdown(part.all));
      if (this.grew) this.grew();
    });
  }

  think(piece) {
    this.text = null;
    if (!this.thoughts) {
      this.thoughts = h("div");
      this.body.append(h("details", { class: "thoughts" }, h("summary", {}, "Thoughts"), this.thoughts));
    }
    this.thoughts.append(piece);
  }

  callTool(name, id, input) {
    this.text = this.thoughts = null;
    const line = new ToolLine(name, input);
    this.tools.set(id, line);
    this.body.append(line.node);
  }

  finishTool(id, result) {
    const line = this.tools.get(id);
    if (line) line.finish(result);
  }

  // A word is wanted: what, with which arguments, why, until when.
  wait(data, decided) {
    this.text = this.thoughts = null;
    const wrong = h("p", { class: "wrong", role: "alert" });
    const until = h("span", { class: "muted small" });
    const card = h("section", { class: "approval", "aria-label": "It waits for your word" });
    const decide = async (decision) => {
      try {
        await call("POST", `/v1/approvals/${data.approval_id}`, { decision });
        if (card.contains(document.activeElement)) this.node.focus({ preventScroll: true }); // the button goes
        this.settle(decision === "grant" ? "allowed, once" : "denied");
        announce(decision === "grant" ? "Allowed." : "Denied.");
        decided();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    put(card, h("h3", {}, h("span", { class: "dot warn" }), `May it use ${data.tool}?`), data.reason && h("p", {}, data.reason), shownValue(data.arguments), wrong,
      h("div", { class: "row" }, h("button", { class: "primary", type: "button", onclick: () => decide("grant") }, "Allow once"), h("button", { type: "button", onclick: () => decide("deny") }, "Deny"), until));
    this.card = { node: card, tool: data.tool };
    this.body.append(card);
    const tick = () => {
      if (!card.isConnected) return clearInterval(timer);
      const left = new Date(data.expires) - Date.now();
      until.textContent = left > 0 ? `expires in ${duration(left)}` : "expired";
    };
    const timer = setInterval(tick, 1000);
    requestAnimationFrame(tick);
    announce(`It waits for your word: ${data.tool}`);
  }

  // A word was given, here or elsewhere.
  settle(how) {
    if (this.card) this.card.node.replaceWith(h("p", { class: "small muted" }, `${this.card.tool}: ${how}`));
    this.card = null;
  }

  // The same turn with all that its run told, where that is more than the messages say.
  retell(events) {
    if (!events.some(([name]) => name === "tool_call" || name === "reasoning")) return;
    const question = this.question;
    this.clear();
    if (question) this.ask(question);
    events.forEach((event) => this.hear(...event));
    this.work(null);
  }

  // What a stream tells. True when it was the last.
  hear(name, data, id, decided = () => {}) {
    if (name === "resumed") {
      const after = numbers(data.after);
      const kept = this.told.filter(([, , one]) => !later(numbers(one), after));
      this.told = [];
      this.clear();
      kept.forEach(([one, what, at]) => this.hear(one, what, at, decided));
      return false;
    }
    this.told.push([name, data, id]);
    if (name !== "waiting") this.settle("decided");
    if (name === "text") this.say(data.text);
    else if (name === "reasoning") this.think(data.text);
    else if (name === "tool_call") this.callTool(data.name, data.id, data.arguments);
    else if (name === "tool_result") this.finishTool(data.id, data);
    else if (name === "input") this.ask(data.text);
    else if (name === "waiting") this.wait(data, decided);
    else if (name === "phase") this.work(PHASES[data.name] || data.name);
    else if (name === "run_started") this.work("working");
    return name === "done";
  }

  // A thin line while it works; nothing: it rests.
  work(phase, since) {
    if (since) this.since = since;
    if (phase === null) return put(this.progress);
    const took = h("span", {}, duration(Date.now() - (this.since || Date.now())));
    put(this.progress, h("div", { class: "phase-line" }, h("div")), h("span", {}, phase), took);
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (!took.isConnected) return clearInterval(this.timer);
      took.textContent = duration(Date.now() - this.since);
    }, 1000);
  }

  end(run) {
    const ends = !goesOn(run.status);
    if (ends) this.work(null);
    const usage = run.usage || {};
    const cached = usage.prompt_tokens ? Math.round((100 * (usage.cached_tokens || 0)) / usage.prompt_tokens) : 0;
    this.node.dataset.run = run.id;
    put(this.foot, run.status === "answered" || !ends ? null : stateMark(run.status), run.error && ends ? h("span", {}, run.error) : null,
      ends ? [h("span", {}, run.model), h("span", {}, duration(tookMs(run))), usage.output_tokens ? h("span", {}, `${count(usage.output_tokens)} tokens`) : null, cached ? h("span", {}, `${cached} % cached`) : null] : null,
      h("a", { href: `/runs/${run.id}` }, "trace"));
  }
}

const numbers = (id) => (id || "0.0").split(".").map(Number);
const later = (a, b) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

// Turns of a conversation as they are stored: messages in order, each of a run.
export function turnsOf(messages, runs) {
  const byRun = new Map(runs.map((run) => [run.id, run]));
  const out = [];
  let turn = null;
  for (const { message, run_id } of messages) {
    if (message.role === "user" && (!turn || turn.run !== run_id || turn.said)) {
      turn = Object.assign(new Turn(), { run: run_id, said: false });
      out.push(turn);
    }
    if (!turn) turn = out[out.push(Object.assign(new Turn(), { run: run_id, said: false })) - 1];
    if (message.role === "user") {
      turn.ask(textOf(message.content));
      continue;
    }
    if (message.role === "tool") turn.finishTool(message.tool_call_id, { text: textOf(message.content) });
    if (message.role !== "assistant") continue;
    turn.said = turn.said || !(message.tool_calls || []).length;
    if (textOf(message.content)) turn.say(textOf(message.content));
    for (const one of message.tool_calls || []) turn.callTool(one.function.name, one.id, parsed(one.function.arguments));
  }
  for (const one of out) if (byRun.has(one.run)) one.end(byRun.get(one.run));
  return out;
}

function parsed(text) {
  try {
    return typeof text === "string" ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}
