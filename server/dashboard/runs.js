// Runs: which there were, by what one looks for; each of them by its own address.
import { failure, h, icon, notice, put } from "./dom.js";
import { count, dayBack, duration, short, stateOf, time, tookMs, wholeTime } from "./format.js";
import { note } from "./router.js";
import { call, load } from "./store.js";
import { watchRuns } from "./strip.js";
import { Windowed } from "./windowed.js";

const PERIODS = [["", "Any day"], ["1", "Today"], ["7", "7 days"], ["30", "30 days"]], SUMMED = 30; // days
const PAGE = 50, FURTHER = 200; // rows: those seen first are there at once, and who scrolls does not wait for each page
const STATES = [["", "All"], ["open", "Going on"], ["waiting_person", "For your word"], ["answered", "Answered"], ["failed", "Failed"], ["cancelled", "Stopped"], ["refused", "Refused"], ["partial", "Partly"], ["unknown_effect", "Unknown effect"], ["no_backend", "No model"]];

function row(run) {
  const [kind, word] = stateOf(run.status);
  const usage = run.usage || {};
  return h("li", {}, h("a", { class: "run-row", href: `/runs/${run.id}`, "data-row": true, "data-run": run.id },
    h("span", { class: `state ${kind}` }, h("span", { class: `dot ${kind}` }), word),
    h("span", { class: "cut what" }, run.question || "(no words)"),
    h("span", { class: "cut muted wide" }, run.model),
    h("span", { class: "number wide" }, usage.output_tokens === undefined ? "" : count(usage.output_tokens)),
    h("span", { class: "number wide" }, run.finished ? duration(tookMs(run)) : ""),
    h("time", { class: "number when", datetime: run.started, title: wholeTime(run.started) }, time(run.started))));
}

let left = null; // the list that a run was opened from, and where in it: Back finds it so

class Runs {
  constructor(main, { query }) {
    this.filter = { status: query.get("status") || "", agent: query.get("agent") || "", text: query.get("text") || "", tool: query.get("tool") || "", days: query.get("days") || "" };
    this.list = h("ol", { class: "runs", "aria-label": "Runs, the newest first" });
    this.state = h("div", { "aria-live": "polite" });
    this.rows = new Windowed(this.list, main, row, () => this.more());
    this.turn = 0;
    this.address = location.pathname + location.search;
    this.end = h("div", { class: "list-end small muted" });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "State" }, STATES.map(([value, word]) =>
      h("button", { class: "chip", type: "button", "aria-pressed": String(value === this.filter.status), "data-value": value, onclick: () => this.choose({ status: value }) }, word)));
    const field = h("input", { type: "search", placeholder: "In the question", "aria-label": "Search in questions", "data-search": true, value: this.filter.text });
    field.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.choose({ text: field.value.trim() }), 250);
    });
    this.agent = h("select", { "aria-label": "Agent", onchange: () => this.choose({ agent: this.agent.value }) }, h("option", { value: "" }, "Every agent"), this.filter.agent && h("option", { value: this.filter.agent, selected: true }, this.filter.agent));
    this.days = h("select", { "aria-label": "Since", onchange: () => this.choose({ days: this.days.value }) }, PERIODS.map(([value, word]) => h("option", { value, selected: value === this.filter.days }, word)));
    this.tool = h("button", { class: "chip", type: "button", "aria-pressed": "true", onclick: () => this.choose({ tool: "" }) });
    this.sums = h("div");
    this.summed = h("details", { ontoggle: () => this.sum() }, h("summary", {}, "By tool and day"), this.sums);
    this.showTool();
    main.append(h("div", { class: "page" }, h("header", {}, h("h1", {}, "Runs"), h("div", { class: "search" }, icon("search"), field), this.agent, this.days), this.chips, h("section", { class: "card folded" }, this.summed),
      h("div", { class: "run-row runs-head", "aria-hidden": "true" }, h("span", {}, "State"), h("span", {}, "Question"), h("span", {}, "Agent"), h("span", { class: "number" }, "Tokens"), h("span", { class: "number" }, "Took"), h("span", { class: "number" }, "When")),
      this.state, this.list, this.end));
  }

  path(before) {
    const { days, ...asked } = this.filter;
    const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
    if (days) query.set("since", dayBack(Number(days)));
    query.set("limit", before ? FURTHER : PAGE);
    if (before) query.set("before", before);
    return `/v1/runs?${query}`;
  }

  choose(change) {
    Object.assign(this.filter, change);
    for (const chip of this.chips.querySelectorAll("[data-value]")) chip.setAttribute("aria-pressed", String(chip.dataset.value === this.filter.status));
    note(new URLSearchParams(Object.entries(this.filter).filter(([, value]) => value)));
    this.address = location.pathname + location.search;
    this.showTool();
    if ("tool" in change || "days" in change) this.sum();
    this.begin();
  }

  showTool() {
    put(this.tool, `Called ${this.filter.tool} ×`);
    if (this.filter.tool) this.chips.append(this.tool);
    else this.tool.remove();
  }

  // Drawn, and its module fetched, when it is looked at.
  async sum() {
    if (!this.summed.open) return;
    const { showSums } = await import("./run_sums.js");
    showSums(this.sums, Number(this.filter.days) || SUMMED, this.filter.tool, (tool) => this.choose({ tool }));
  }

  async begin() {
    const mine = ++this.turn;
    this.list.classList.add("old");
    try {
      await load(this.path(), ({ data }, old) => {
        if (mine !== this.turn) return;
        this.take(data);
        this.list.classList.toggle("old", old);
      });
      put(this.state);
    } catch (error) {
      if (mine === this.turn) put(this.state, failure(error, () => this.begin()));
    }
  }

  // As it was left: the rows, and which of them was in view. What has changed since comes by renew().
  goBack(main) {
    if (!left || left.address !== this.address) return false;
    this.take(left.items, left.whole);
    main.scrollTop = left.top;
    this.rows.show();
    this.renewFirst();
    return true;
  }

  leave(main) {
    const toRun = location.pathname.startsWith("/runs/");
    left = toRun ? { address: this.address, items: this.rows.items, whole: this.whole, top: main.scrollTop } : null;
    this.rows.close();
  }

  take(runs, whole = runs.length < PAGE) {
    this.whole = whole;
    this.taken = {}; // pages that were asked for before are of another list
    this.rows.set(runs);
    this.tell();
  }

  tell() {
    const items = this.rows.items;
    this.list.hidden = !items.length;
    const any = Object.values(this.filter).some(Boolean);
    put(this.end, items.length ? (this.whole ? "That is all." : "") : notice(any ? "No run is like that." : "There are no runs yet.", any ? "Take a filter away to see more." : "Ask something, and it will stand here with all that it did.", any ? null : h("a", { href: "/chat" }, "Chat")));
  }

  // The next page, before the end comes into view.
  async more() {
    const last = this.rows.items[this.rows.items.length - 1];
    if (this.whole || this.busy || !last) return;
    this.busy = true;
    const mine = this.taken;
    const { data } = await call("GET", this.path(last.id)).catch(() => ({ data: null }));
    this.busy = false;
    if (mine !== this.taken) return this.rows.show();
    if (!data) return;
    this.whole = data.length < FURTHER;
    this.rows.add(data);
    this.tell();
  }

  has(id) {
    return this.rows.items.some((one) => one.id === id);
  }

  // Runs that go on change in their rows; new ones come on top.
  renew(open) {
    const items = this.rows.items;
    const plain = !Object.values(this.filter).some(Boolean);
    for (const run of [...open].sort((a, b) => (a.id < b.id ? -1 : 1))) {
      if (this.has(run.id)) this.rows.change(run);
      else if (plain && items.length && run.id > items[0].id) this.rows.prepend(run);
    }
    const going = new Set(open.map((run) => run.id));
    if ([...(this.going || [])].some((id) => !going.has(id) && this.has(id))) this.renewFirst();
    this.going = going;
  }

  // What is so of the newest ones, each in its row.
  async renewFirst() {
    const mine = this.taken;
    const { data } = await call("GET", this.path()).catch(() => ({ data: [] }));
    if (mine !== this.taken) return;
    for (const run of data.reverse()) {
      if (this.has(run.id)) this.rows.change(run);
      else if (!this.rows.items.length || run.id > this.rows.items[0].id) this.rows.prepend(run);
    }
    this.tell();
  }

  async fillAgents() {
    const { data } = await call("GET", "/v1/models");
    for (const one of data) if (one.owned_by === "hearth" && one.id !== this.filter.agent) this.agent.append(h("option", { value: one.id }, short(one.id, 40)));
  }
}

export async function show(main, context) {
  if (context.rest[0]) return (await import("./run.js")).showRun(main, context.rest[0]);
  const view = new Runs(main, context);
  if (!view.goBack(main)) await view.begin();
  view.fillAgents().catch(() => {});
  const watched = watchRuns((open) => view.renew(open));
  return () => {
    watched();
    view.leave(main);
  };
}
