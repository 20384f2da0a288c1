// How times, sizes and states are written.

// Made when it is first used: a format takes a browser milliseconds, which the first view would wait for.
export function dateFormat(options) {
  let made = null;
  return { format: (at) => (made = made || new Intl.DateTimeFormat(undefined, options)).format(at) };
}

const clock = dateFormat({ hour: "2-digit", minute: "2-digit" });
const day = dateFormat({ day: "numeric", month: "short" });
const whole = dateFormat({ dateStyle: "medium", timeStyle: "medium" });

export function time(text) {
  const at = new Date(text);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}
export const wholeTime = (text) => whole.format(new Date(text));
// The first of so many days up to today, as "2026-03-10".
export const dayBack = (days) => new Date(Date.now() - (days - 1) * 86400000).toISOString().slice(0, 10);

export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60000);
  return minutes < 60 ? `${minutes} min ${Math.round((ms % 60000) / 1000)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function count(n) {
  if (n === null || n === undefined) return "–";
  if (n < 1000) return String(n);
  return n < 1e6 ? `${(n / 1000).toFixed(n < 10000 ? 1 : 0)} k` : `${(n / 1e6).toFixed(1)} M`;
}

// State of a run → how it is shown: kind and words.
const STATES = {
  queued: ["quiet", "queued"], running: ["running", "running"], interrupted: ["warn", "interrupted"],
  waiting_person: ["warn", "waits for you"], waiting_client: ["quiet", "waits for its client"],
  answered: ["ok", "answered"], partial: ["warn", "partly answered"], cancelled: ["quiet", "stopped"], refused: ["error", "refused"],
  unknown_effect: ["warn", "effect unknown"], no_backend: ["error", "no model"], failed: ["error", "failed"],
};
export const stateOf = (status) => STATES[status] || ["quiet", status];
export const goesOn = (status) => ["queued", "running", "interrupted", "waiting_person"].includes(status);

export const tookMs = (run) => (run.finished ? new Date(run.finished) : new Date()) - new Date(run.started);
export const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

// Arguments of a tool in one line.
export function argumentLine(value) {
  if (value === null || typeof value !== "object") return short(String(value), 120);
  const parts = Object.entries(value).map(([name, one]) => (typeof one === "string" ? one : `${name}: ${JSON.stringify(one)}`));
  return short(parts.join("  ").replace(/\s+/g, " "), 120);
}
