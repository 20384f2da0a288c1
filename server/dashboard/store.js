// The API: requests, what was last answered, and streams of events that go on where they broke off.

export class ApiError extends Error {
  constructor(status, body) {
    super((body && body.error && body.error.message) || (status ? `The server answered ${status}.` : "The server cannot be reached."));
    this.status = status;
    this.code = body && body.error && body.error.code;
    this.param = body && body.error && body.error.param;
  }
}

let csrf = "";
const answers = new Map(); // path → what it last answered
const losses = new Set();  // told when nobody is signed in any more

export const onSignedOut = (listener) => losses.add(listener);
export function signedIn(session) {
  csrf = session.csrf || "";
}

function headers(more) {
  return { "X-Hearth-CSRF": csrf, ...more };
}

async function parsed(response) {
  const text = await response.text();
  const json = (response.headers.get("Content-Type") || "").startsWith("application/json");
  return json && text ? JSON.parse(text) : text;
}

export async function call(method, path, body, more) {
  let response;
  try {
    const data = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(path, { method, body: data, credentials: "same-origin", cache: "no-store", headers: headers(data === undefined ? more : { "Content-Type": "application/json", ...more }) });
  } catch {
    throw new ApiError(0, null);
  }
  const answer = await parsed(response);
  if (response.ok) return answer;
  if (response.status === 401 && path !== "/v1/session") losses.forEach((tell) => tell());
  throw new ApiError(response.status, answer);
}

// A file of the server's, for whoever looks to keep. A link could not: it does not say which page asks.
export async function download(path, name) {
  const response = await fetch(path, { credentials: "same-origin", cache: "no-store", headers: headers() });
  if (!response.ok) throw new ApiError(response.status, await parsed(response));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// What is known of it at once, then what is so: show(answer, isOld).
export async function load(path, show) {
  if (answers.has(path)) show(answers.get(path), true);
  const answer = await call("GET", path);
  answers.set(path, answer);
  show(answer, false);
  return answer;
}

export const forget = () => answers.clear();

function* eventsOf(buffer) {
  for (let end; (end = buffer.text.indexOf("\n\n")) >= 0;) {
    const event = { id: "", name: "message", data: "" };
    for (const line of buffer.text.slice(0, end).split("\n")) {
      if (line.startsWith("id: ")) event.id = line.slice(4);
      else if (line.startsWith("event: ")) event.name = line.slice(7);
      else if (line.startsWith("data: ")) event.data += (event.data ? "\n" : "") + line.slice(6);
    }
    buffer.text = buffer.text.slice(end + 2);
    if (event.data) yield event;
  }
}

async function listenOnce(path, from, signal, tell) {
  const response = await fetch(path, { credentials: "same-origin", cache: "no-store", signal, headers: headers(from.id ? { "Last-Event-ID": from.id } : {}) });
  if (response.status === 204) return true;
  if (!response.ok) throw new ApiError(response.status, await parsed(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const buffer = { text: "" };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    buffer.text += value;
    for (const event of eventsOf(buffer)) {
      from.id = event.id || from.id;
      tell(event.name, JSON.parse(event.data), event.id);
      if (event.name === "done") return true;
    }
  }
}

// All that a run has told, which has ended: [name, data, id] of each event.
export async function told(path) {
  const out = [];
  await listenOnce(path, { id: "" }, AbortSignal.timeout(30000), (...event) => out.push(event));
  return out;
}

const pause = (ms, signal) => new Promise((go) => {
  const timer = setTimeout(go, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); go(); });
});

// Events of a run, each once, however often the connection breaks: tell(name, data, id); state("live" | "lost"). Returns what ends it.
export function listen(path, tell, state = () => {}, after = "") {
  const control = new AbortController();
  const from = { id: after };
  (async () => {
    for (let wait = 500; !control.signal.aborted; wait = Math.min(wait * 2, 8000)) {
      const before = from.id;
      try {
        state("live");
        if (await listenOnce(path, from, control.signal, tell)) return;
      } catch (error) {
        if (control.signal.aborted) return;
        if (error.status && error.status < 500) return state("ended", error);
      }
      if (from.id !== before) wait = 500;
      state("lost");
      await pause(wait, control.signal);
    }
  })();
  return () => control.abort();
}

// When what was drawn is seen; soon, where nobody looks.
export const painted = () => new Promise((go) => {
  requestAnimationFrame(() => setTimeout(go));
  setTimeout(go, 100);
});

// Calls `look` at once and again while the page is looked at. Returns what ends it.
export function every(ms, look) {
  let timer = 0, over = false;
  const turn = async () => {
    clearTimeout(timer);
    if (over) return;
    if (!document.hidden) await look().catch(() => {});
    if (!over) timer = setTimeout(turn, ms);
  };
  const seen = () => { if (!document.hidden) turn(); };
  document.addEventListener("visibilitychange", seen);
  turn();
  return () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}

const UNSEEN = 20000; // ms until what nobody sees is no longer listened to: a browser holds few connections to a host

// Listens while the page is looked at. Returns what ends it.
export function whileSeen(begin) {
  let end = begin(), timer = 0;
  const turned = () => {
    clearTimeout(timer);
    if (!document.hidden) end = end || begin();
    else timer = setTimeout(() => { end && end(); end = null; }, UNSEEN);
  };
  document.addEventListener("visibilitychange", turned);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", turned);
    if (end) end();
    end = null;
  };
}
