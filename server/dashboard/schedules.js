// What comes next: what agents are to do at a time, and what came of it.
import { announce, dialog, h, notice, put } from "./dom.js";
import { dateFormat, wholeTime } from "./format.js";
import { card, fill, mark, page, table, tag } from "./page.js";
import { call } from "./store.js";

const PATH = "/v1/schedules";
const STATES = { waiting: ["ok", "waits"], paused: ["quiet", "paused"], ended: ["quiet", "ended"] };
const FIRES = { due: ["running", "due"], working: ["running", "running"], done: ["ok", "done"], skipped: ["quiet", "left out"], refused: ["error", "refused"] };
const DAYS = 7;
const weekday = dateFormat({ weekday: "short", day: "numeric", month: "short" });

// Asks in words; what could mean two times is asked back, and nothing is kept until it means one.
function add(again) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const when = h("input", { placeholder: "every morning at 7", autocomplete: "off" }), prompt = h("textarea", { rows: 3, placeholder: "Tell me the weather and what is in the calendar." });
  const silent = h("input", { type: "checkbox" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const save = async (close) => {
    try {
      const made = await call("POST", PATH, { when: when.value.trim(), prompt: prompt.value.trim(), zone, silent: silent.checked });
      close();
      announce(made.merged ? "There was one of the same." : `${made.words ? `${made.words}, next on` : "On"} ${made.next_there} ${made.zone}.`);
      again();
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  dialog("Have something done at a time", [wrong, h("label", { class: "field" }, "When", when), h("p", { class: "small muted" }, `By the clock of ${zone}. Words of English or French, or a cron expression.`),
    h("label", { class: "field" }, "What", prompt), h("label", { class: "row" }, silent, "Say nothing where there is nothing to say")], [["Save", save]]);
}

const clock = dateFormat({ hour: "2-digit", minute: "2-digit" });
const MOST = 100; // times of one schedule in a day that the server tells
const DENSE = 3; // times of one schedule in a day, from which on they stand in one line

// What comes in a day: each time by itself, and what comes often once.
function eventsOf(fires) {
  const by = new Map();
  for (const one of fires) by.set(one.schedule, [...(by.get(one.schedule) || []), one]);
  const at = (one) => clock.format(new Date(one.at));
  const events = [...by.values()].flatMap((same) => (same.length > DENSE ? [{ ...same[0], words: `${same.length}${same.length < MOST ? "" : " or more"} times from ${at(same[0])}` }] : same.map((one) => ({ ...one, words: at(one) }))));
  return events.sort((a, b) => (a.at < b.at ? -1 : 1));
}

// The next seven days by the clock of whoever looks, with what comes in each.
function week(coming) {
  const days = Array.from({ length: DAYS }, (_, n) => { const day = new Date(); day.setHours(12, 0, 0, 0); day.setDate(day.getDate() + n); return day; });
  const fires = (day) => eventsOf(coming.filter((one) => new Date(one.at).toDateString() === day.toDateString()));
  return h("ol", { class: "week", "aria-label": "The next seven days" }, days.map((day, n) => h("li", { class: fires(day).length ? null : "free" }, h("p", { class: "small muted" }, n ? weekday.format(day) : "Today"),
    fires(day).map((one) => h("a", { class: "event", href: `/schedules/${one.schedule}`, title: one.prompt }, h("span", { class: "strong" }, one.words), h("span", { class: "event-words" }, one.prompt))))));
}

async function showOne(root, id, back) {
  const act = (method, what) => async () => {
    await call(method, `${PATH}/${id}${what}`).catch((error) => announce(error.message));
    await look();
    back();
  };
  const look = () => fill(root, `${PATH}/${id}`, (node, one) => node.append(card(one.prompt,
    h("dl", { class: "facts" }, h("dt", {}, "When"), h("dd", {}, one.words || one.when, one.words && h("div", { class: "small muted" }, `asked for as “${one.when}”`)), h("dt", {}, "Next on"), h("dd", {}, one.next_there ? `${one.next_there} ${one.zone}` : "never"),
      h("dt", {}, "Agent"), h("dd", {}, one.agent), h("dt", {}, "Missed times"), h("dd", {}, { skip: "left out", once: "made up for once", all: "each made up for" }[one.missed]), h("dt", {}, "Told in"), h("dd", {}, one.channel || "its run")),
    h("div", { class: "row" }, one.state !== "ended" && [h("button", { class: "primary", type: "button", onclick: act("POST", "/run") }, "Run now"), one.state === "paused" ? h("button", { type: "button", onclick: act("POST", "/resume") }, "Go on") : h("button", { type: "button", onclick: act("POST", "/pause") }, "Pause"),
      h("button", { class: "danger", type: "button", onclick: act("DELETE", "") }, "End")]),
    h("h3", {}, "Each time"), one.fires.length ? table("Each time", [["State", (fire) => mark(...(FIRES[fire.state] || ["quiet", fire.state]))], ["When", (fire) => wholeTime(fire.instant)], ["", (fire) => [fire.outcome, fire.run ? h("span", {}, " ", h("a", { href: `/runs/${fire.run}` }, "run")) : null]]], one.fires) : h("p", { class: "muted" }, "It has not come due yet."))));
  await look();
}

export async function show(main, { rest }) {
  let again = () => {};
  const body = page(main, "Schedules", h("button", { type: "button", onclick: () => add(() => again()) }, "Add…"));
  const list = h("div"), shown = h("div"), calendar = h("div");
  body.append(shown, calendar, list);
  again = await fill(list, PATH, (node, { data }) => {
    put(calendar);
    if (!data.length) return node.append(notice("No schedules yet.", "Ask in the chat: “remind me every morning at seven …”, or add one here."));
    fill(calendar, `${PATH}/coming?days=${DAYS}`, (place, coming) => place.append(card("The next seven days", h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Calendar" }, week(coming.data)))));
    node.append(card("All of them", table("Schedules", [
      ["State", (one) => mark(...STATES[one.state])], ["When", (one) => h("span", { title: one.when }, one.words || one.when)], ["What", (one) => h("a", { href: `${PATH.slice(3)}/${one.id}` }, one.prompt)], ["Next on", (one) => (one.next_there ? `${one.next_there} ${one.zone}` : "–")], ["Agent", (one) => tag(one.agent)], ["Told in", (one) => one.channel || "its run"],
    ], data)));
  });
  if (rest[0]) await showOne(shown, rest[0], () => again());
  else put(shown);
}
