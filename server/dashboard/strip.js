// The line at the top: the model, what runs, what waits for a word. A run is stopped from here with one click.
import { announce, h, icon, put } from "./dom.js";
import { count, short, stateOf } from "./format.js";
import { call, every, listen, painted, whileSeen } from "./store.js";

let end = () => {};
let runs = [];
const watchers = new Set();

// Whoever shows runs is told those that go on, when they are known anew.
export function watchRuns(listener) {
  watchers.add(listener);
  listener(runs);
  return () => watchers.delete(listener);
}

export async function stopRun(id) {
  announce("Stopping.");
  await call("POST", `/v1/runs/${id}/stop`);
}

// The run that the focus is in, else the one in view, else the newest that goes on.
export function stopFocused() {
  const near = document.activeElement && document.activeElement.closest("[data-run]");
  const shown = document.querySelector("main [data-shown-run]");
  const id = (near && near.dataset.run) || (shown && shown.dataset.shownRun) || (runs[0] && runs[0].id);
  if (id) stopRun(id).catch((error) => announce(error.message));
}

const HEALTH = { ok: ["ok", "ready"], degraded: ["warn", "degraded"], loading: ["running", "loading"], down: ["error", "down"], disk_full: ["error", "disk full"] };

function modelItem(health) {
  const [kind, word] = HEALTH[health.status] || ["quiet", health.status];
  const local = Object.values(health.backends || {}).find((one) => one.local && one.facts && one.facts.model);
  const waiting = local && local.facts.waiting ? `, ${local.facts.waiting} wait` : "";
  return h("a", { class: "item", href: "/models" }, h("span", { class: `dot ${kind}` }), h("span", { class: "cut" }, `${local ? short(local.facts.model, 28) : "Model"}: ${word}${health.percent !== undefined ? ` ${health.percent} %` : ""}${waiting}`));
}

function runItem(run) {
  const [kind, word] = stateOf(run.status);
  return h("span", { class: "item grow" }, h("span", { class: `dot ${kind}` }), h("a", { class: "cut", href: `/runs/${run.id}`, title: run.question }, `${word}: ${short(run.question || run.model, 60)}`),
    h("button", { type: "button", "data-run": run.id, "aria-label": `Stop: ${short(run.question, 60)}`, onclick: () => stopRun(run.id) }, icon("stop"), "Stop"));
}

function badge(nav, waiting) {
  const link = nav.querySelector('[data-view="chat"]');
  link.querySelector(".count")?.remove();
  if (waiting) link.append(h("span", { class: "count", "aria-label": `${waiting} wait for your word` }, waiting));
}

export async function showStrip(strip, nav, session) {
  let health = { status: "loading" };
  let spent = null;
  let lost = false;
  const draw = () => {
    const working = runs.filter((run) => run.status !== "waiting_person");
    const waiting = runs.length - working.length;
    put(strip, lost ? h("span", { class: "item", role: "status" }, h("span", { class: "dot error" }), "The connection is lost; trying again") : modelItem(health),
      waiting ? h("a", { class: "item", href: "/runs?status=waiting_person" }, h("span", { class: "dot warn" }), `${waiting} for your word`) : null,
      working.length > 1 ? h("a", { class: "item", href: "/runs?status=open" }, `${working.length} running`) : null,
      working.length ? runItem(working[0]) : h("span", { class: "item grow wide" }, h("span", { class: "dot quiet" }), "nothing runs"),
      spent ? h("span", { class: "item wide", title: "output tokens of models, today" }, `${count(spent)} tokens today`) : null);
    badge(nav, waiting);
  };
  end();
  draw();
  let ends = [];
  let over = false;
  end = () => {
    over = true;
    ends.forEach((one) => one());
  };
  // What is going on is asked for behind the view itself, which people wait for.
  await painted();
  if (over) return;
  ends = [
    whileSeen(() => listen("/v1/live", (name, data) => {
      runs = data.runs;
      draw();
      watchers.forEach((tell) => tell(runs));
    }, (state) => {
      lost = state === "lost";
      draw();
    })),
    every(20000, async () => {
      health = await call("GET", "/health").catch((error) => ({ status: error.status ? "loading" : "down" }));
      draw();
    }),
    every(60000, async () => {
      const today = new Date().toISOString().slice(0, 10);
      spent = (await call("GET", "/v1/usage?days=1&calls=0")).days.filter((day) => day.day === today).reduce((sum, day) => sum + day.output_tokens, 0);
      draw();
    }),
  ];
}

export const stopStrip = () => end();
