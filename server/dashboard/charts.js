// Charts over days: SVG for the lines, HTML for the words, a table of the same below, and each day by pointer or arrow keys.
import { h, put, svg } from "./dom.js";
import { dateFormat, dayBack } from "./format.js";

const dayName = dateFormat({ day: "numeric", month: "short", timeZone: "UTC" });
const DAY = 86400000;

export const dayText = (day) => dayName.format(new Date(day));

// Every day from the one to the other, as "2026-03-10".
export function daysBetween(from, until) {
  const out = [];
  for (let at = Date.parse(from); at <= Date.parse(until); at += DAY) out.push(new Date(at).toISOString().slice(0, 10));
  return out;
}

export const lastDays = (days) => daysBetween(dayBack(days), dayBack(1));

// What rows of { day, … } say on each day; null where there is none.
export function byDay(days, rows, of) {
  const known = new Map(rows.map((row) => [row.day, of(row)]));
  return days.map((day) => known.get(day) ?? null);
}

// A round number at or above it: 1, 2 or 5 times a power of ten.
function roundAbove(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value * 0.999);
}

const x = (at, count) => (100 * (at + 0.5)) / count; // the middle of the day's share, of lines as of bars

// A line with gaps where nothing is known; a day alone is a dot.
function path(values, y) {
  let out = "", open = false;
  values.forEach((value, at) => {
    if (value === null) return void (open = false);
    out += `${open ? "L" : "M"}${x(at, values.length).toFixed(2)} ${y(value).toFixed(2)}`;
    if (!open) out += "h0";
    open = true;
  });
  return out;
}

function bars(values, y, name) {
  const width = 100 / values.length;
  return values.map((value, at) => (value ? svg("rect", { class: name, x: (at * width + width * 0.12).toFixed(2), y: y(value).toFixed(2), width: (width * 0.76).toFixed(2), height: (100 - y(value)).toFixed(2) }) : null));
}

// Made when it is opened: a year of several charts is thousands of cells.
function tableOf(title, days, series, words) {
  const place = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, as a table` });
  const fill = () => put(place, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Day"), series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
    h("tbody", {}, days.map((day, at) => h("tr", {}, h("th", { scope: "row" }, dayText(day)), series.map((one) => h("td", { class: "number" }, words(one, at))))))));
  return h("details", { class: "as-table", ontoggle: () => { if (!place.childElementCount) fill(); } }, h("summary", {}, "As a table"), place);
}

// The day that is looked at: by pointer, or with the arrows once it has the focus. tell(at) draws it.
function cursor(title, days, valueText) {
  const line = h("div", { class: "cursor", hidden: true }), tip = h("div", { class: "tip", hidden: true });
  const node = h("div", { class: "plot-touch", tabindex: "0", role: "slider", "aria-label": title, "aria-valuemin": 0, "aria-valuemax": days.length - 1 }, line, tip);
  let at = days.length - 1;
  const name = () => {
    node.setAttribute("aria-valuenow", at);
    node.setAttribute("aria-valuetext", `${dayText(days[at])}: ${valueText(at).join(", ")}`);
  };
  const show = (wanted) => {
    at = Math.max(0, Math.min(days.length - 1, wanted));
    name();
    line.hidden = tip.hidden = false;
    line.style.left = `${x(at, days.length)}%`;
    put(tip, h("p", { class: "strong" }, dayText(days[at])), valueText(at).map((one) => h("p", {}, one)));
    tip.style.left = `${x(at, days.length)}%`;
    tip.style.transform = `translateX(-${x(at, days.length)}%)`;
  };
  const hide = () => { line.hidden = tip.hidden = true; };
  node.addEventListener("pointermove", (event) => {
    const box = node.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * days.length));
  });
  node.addEventListener("pointerleave", () => { if (document.activeElement !== node) hide(); });
  node.addEventListener("focus", () => show(at));
  node.addEventListener("blur", hide);
  node.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1, PageDown: at - 7, PageUp: at + 7, Home: 0, End: days.length - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  name();
  return node;
}

// series: [{ name, values, bar, mark }], one value a day; limits: [{ name, value, kind }] are drawn across. `write` puts a value in words.
export function chart(title, days, series, { write = String, limits = [], least = 0 } = {}) {
  const known = series.flatMap((one) => one.values).filter((value) => value !== null);
  if (!known.length) return h("figure", { class: "chart" }, h("figcaption", { class: "strong" }, title), h("p", { class: "muted small" }, "Nothing was measured in these days."));
  const most = roundAbove(Math.max(least, ...known, ...limits.map((one) => one.value)));
  const y = (value) => 100 - (100 * Math.max(0, value)) / most;
  const say = (one, at) => (one.values[at] === null ? "–" : write(one.values[at]));
  const newest = days.findLastIndex((day, at) => series.some((one) => one.values[at] !== null));
  const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    [0, 50, 100].map((at) => svg("path", { class: "grid", d: `M0 ${at}H100` })),
    series.map((one, n) => (one.bar ? bars(one.values, y, `bar${n}`) : svg("path", { class: `line${n}`, d: path(one.values, y) }))),
    limits.map((one) => svg("path", { class: `across ${one.kind || "limit"}`, d: `M0 ${y(one.value)}H100` })));
  return h("figure", { class: "chart" },
    h("figcaption", {}, h("span", { class: "strong" }, title), h("span", { class: "legend" }, series.map((one, n) => h("span", { class: "key" }, h("span", { class: `stroke s${n}${one.bar ? " block" : ""}` }), `${one.name} ${say(one, newest)}`)), limits.map((one) => h("span", { class: "key" }, h("span", { class: `stroke at-${one.kind || "limit"}` }), one.name)))),
    h("div", { class: "plot" }, h("div", { class: "ticks", "aria-hidden": "true" }, h("span", {}, write(most)), h("span", {}, write(most / 2)), h("span", {}, "0")),
      h("div", { class: "canvas" }, drawing, cursor(title, days, (at) => series.map((one) => `${one.name} ${say(one, at)}`)))),
    h("div", { class: "dates", "aria-hidden": "true" }, h("span", {}, dayText(days[0])), days.length > 2 && h("span", {}, dayText(days[days.length >> 1])), h("span", {}, dayText(days[days.length - 1]))),
    tableOf(title, days, series, say));
}

// One state a day, told by height and colour: states: { name: [kind, words] }.
export function strip(title, days, values, states) {
  const word = (at) => (values[at] === null ? "no night" : (states[values[at]] || ["quiet", values[at]])[1]);
  const kinds = [...new Set(values.filter(Boolean))];
  return h("figure", { class: "chart strip-chart" },
    h("figcaption", {}, h("span", { class: "strong" }, title), h("span", { class: "legend" }, kinds.map((one) => h("span", { class: "key" }, h("span", { class: `day-state ${(states[one] || ["quiet"])[0]}` }), (states[one] || ["", one])[1])))),
    h("div", { class: "canvas" }, h("div", { class: "day-states", "aria-hidden": "true" }, values.map((one) => h("span", { class: `day-state ${one === null ? "none" : (states[one] || ["quiet"])[0]}` }))), cursor(title, days, (at) => [word(at)])),
    h("div", { class: "dates", "aria-hidden": "true" }, h("span", {}, dayText(days[0])), h("span", {}, dayText(days[days.length - 1]))),
    tableOf(title, days, [{ name: "State", values }], (one, at) => word(at)));
}
