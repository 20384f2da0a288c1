// Conversations: what was said, what is being said, and what is to be said next.
import { announce, failure, h, icon, notice, put } from "./dom.js";
import { goesOn, short, time } from "./format.js";
import { rename } from "./router.js";
import { call, every, listen, load, painted, told } from "./store.js";
import { stopRun, watchRuns } from "./strip.js";

const LIST = "/v1/threads?limit=50";
const DRAFT = "draft"; // what was typed and not sent, by conversation
const NIGHT = /^nightly-\d{4}-\d\d-\d\d$/; // nobody talks there: what a night did stands among the runs
const MOST_BYTES = 128 << 10; // of a text that is sent along as the person's own

// What draws turns: an empty conversation has none, and is there without it.
let drawing = null;
const turnParts = () => (drawing = drawing || import("./turn.js").catch((error) => { drawing = null; throw error; }));

let agentNames = null;

async function agents() {
  if (!agentNames) agentNames = (await call("GET", "/v1/models")).data.filter((one) => one.owned_by === "hearth");
  return agentNames;
}

function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] || "");
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}

class Chat {
  constructor(main, { rest, query, session }) {
    this.id = rest[0] || "";
    this.wanted = query.get("agent");
    this.session = session;
    this.running = null; // the run that is listened to
    this.files = [];
    this.ends = [];
    this.list = h("ul", {});
    this.turns = h("div", { class: "turns", role: "log", "aria-label": "What was said", tabindex: "0" });
    this.title = h("h1", { class: "cut grow" }, this.id ? "" : "New conversation");
    this.box = h("div", { class: "talk" },
      h("aside", { class: "talks", "aria-label": "Conversations" }, h("a", { class: "button", href: "/chat" }, icon("plus"), "New conversation"), this.list),
      h("section", { class: "said" },
        h("header", {}, h("button", { class: "bare only-narrow", type: "button", "aria-label": "Conversations", onclick: () => this.box.classList.toggle("open") }, icon("back")), this.title),
        this.turns, this.composer()));
    main.append(this.box);
  }

  composer() {
    this.input = h("textarea", { rows: 1, placeholder: "Ask something", "aria-label": "Message", value: sessionStorage.getItem(DRAFT + this.id) || "" });
    this.agent = h("select", { "aria-label": "Agent" }, h("option", { value: "hearth" }, "hearth"));
    this.manner = h("select", { "aria-label": "While it works", hidden: true }, h("option", { value: "steer" }, "Steer: it reads it now"), h("option", { value: "queue" }, "Queue: answered after"), h("option", { value: "interrupt" }, "Interrupt: it stops"));
    this.send = h("button", { class: "primary round", type: "submit", "aria-label": "Send" }, icon("send"));
    this.halt = h("button", { class: "round", type: "button", "aria-label": "Stop", hidden: true, onclick: () => this.stop() }, icon("stop"));
    this.wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    this.attached = h("div", { class: "files" });
    const picker = h("input", { type: "file", multiple: true, hidden: true, onchange: () => { this.attach(picker.files); picker.value = ""; } });
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); this.submit(); } }, this.attached, this.input, this.wrong,
      h("div", { class: "row" }, h("button", { class: "bare", type: "button", "aria-label": "Attach a file", onclick: () => picker.click() }, icon("plus")), picker, h("span", { class: "grow" }), this.manner, this.agent, this.halt, this.send));
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); this.attach(event.clipboardData.files); } });
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => { event.preventDefault(); this.attach(event.dataTransfer.files); });
    return h("div", { class: "composer" }, form);
  }

  typed() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
    sessionStorage.setItem(DRAFT + this.id, this.input.value);
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.running && !event.shiftKey) this.stop();
    else if (event.key === "ArrowUp" && !this.input.value && this.last) {
      this.input.value = this.last;
      this.typed();
    }
  }

  // Text files go along as their text, as the person's own; of others the server tells what they say.
  async attach(files) {
    this.complain("");
    for (const file of [...files]) { // the picker empties its own list
      const text = file.size <= MOST_BYTES ? await file.text() : "\0";
      if (!/^%PDF-|[\0\ufffd]/.test(text)) this.files.push({ name: file.name, text });
      else await this.read(file).catch((error) => this.complain(error.message));
    }
    this.drawFiles();
  }

  async read(file) {
    const said = await call("POST", "/v1/memory/documents/read", { name: file.name, file: await base64(file) });
    this.files.push({ name: file.name, text: said.text, told: `[What stands ${said.cut ? "at the beginning of" : "in"} the file “${file.name}”:]` });
    if (said.cut) this.complain(`Of ${file.name} the beginning alone goes along: it is longer than can be read at once.`);
  }

  drawFiles() {
    put(this.attached, this.files.map((file) => h("button", { class: "chip", type: "button", "aria-label": `Remove ${file.name}`, onclick: () => { this.files = this.files.filter((one) => one !== file); this.drawFiles(); } }, file.name, " ×")));
  }

  complain(text) {
    this.wrong.hidden = !text;
    this.wrong.textContent = text;
  }

  message(text) {
    if (!this.files.length) return text;
    const outside = this.files.filter((file) => file.told).map((file) => ({ role: "user", content: `${file.told}\n${file.text}`, trusted: false }));
    const parts = [text, ...this.files.filter((file) => !file.told).map((file) => `File ${file.name}:\n${file.text}`)].filter(Boolean);
    return parts.length ? [...outside, { role: "user", content: parts.map((part) => ({ type: "text", text: part })) }] : outside;
  }

  async submit() {
    const text = this.input.value.trim();
    if ((!text && !this.files.length) || this.send.disabled) return;
    this.send.disabled = true;
    const draft = DRAFT + this.id;
    this.complain("");
    try {
      await this.deliver(text);
      this.last = text;
      this.input.value = "";
      this.files = [];
      this.drawFiles();
      this.typed();
      sessionStorage.removeItem(draft);
    } catch (error) {
      this.complain(error.message);
    }
    this.send.disabled = false;
  }

  async deliver(text) {
    if (this.running && this.manner.value === "steer" && !this.files.length) return call("POST", `/v1/runs/${this.running}/steer`, { text });
    if (this.running && this.manner.value === "interrupt") await stopRun(this.running);
    const body = { agent: this.agent.value, input: this.message(text) };
    if (this.id) body.conversation = this.id;
    const run = await call("POST", "/v1/runs", body, { "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()) });
    if (!this.id) {
      this.id = run.conversation_id;
      rename(`/chat/${this.id}`);
      put(this.turns);
      this.title.textContent = short(text, 80);
    }
    const { Turn, personWords } = await turnParts();
    const turn = this.open(run, Turn);
    turn.body.before(personWords(text || this.files.map((file) => file.name).join(", ")));
    this.follow(run, turn);
    this.refreshList();
  }

  open(run, Turn) {
    const turn = new Turn();
    turn.grew = () => this.keepDown();
    turn.end(run);
    this.turns.append(turn.node);
    this.keepDown(true);
    return turn;
  }

  // Listens to a run until it ends, also over broken connections.
  follow(run, turn) {
    this.work(run.id);
    turn.work("waiting for its turn", Date.parse(run.started));
    const end = listen(`/v1/runs/${run.id}/events`, async (name, data, id) => {
      const over = turn.hear(name, data, id, () => turn.work("going on"));
      this.keepDown();
      if (name === "waiting") turn.work(null);
      if (!over) return;
      turn.work(null);
      turn.end(await call("GET", `/v1/runs/${run.id}`).catch(() => ({ ...run, status: data.final_state, error: data.error, finished: new Date().toISOString() })));
      announce("The answer is there.");
      if (this.running === run.id) this.work(null);
      this.keepDown();
      this.refreshList();
    }, (state) => { if (state === "lost") turn.work("the connection is lost; trying again"); });
    this.ends.push(end);
  }

  work(id) {
    this.running = id;
    if (!id && document.activeElement === this.halt) this.input.focus();
    this.halt.hidden = this.manner.hidden = !id;
    this.agent.hidden = Boolean(id);
    if (id) this.turns.dataset.shownRun = id;
    else delete this.turns.dataset.shownRun;
  }

  stop() {
    if (this.running) stopRun(this.running).catch((error) => this.complain(error.message));
  }

  // At the end whoever reads stays there; elsewhere nothing jumps.
  keepDown(always) {
    const left = this.turns.scrollHeight - this.turns.scrollTop - this.turns.clientHeight;
    if (always || left < 160) this.turns.scrollTop = this.turns.scrollHeight;
  }

  drawList(threads, open) {
    const going = new Set(open.map((run) => run.conversation_id));
    const shown = threads.filter((one) => one.depth === 0 && !NIGHT.test(one.label || one.opening)).sort((a, b) => (a.spoken < b.spoken ? 1 : -1));
    if (!shown.length) return put(this.list, h("li", { class: "muted small" }, "Conversations will stand here."));
    put(this.list, shown.map((one) => h("li", {}, h("a", { href: `/chat/${one.id}`, "data-row": true, "aria-current": one.id === this.id ? "true" : null },
      h("div", { class: "row" }, going.has(one.id) ? h("span", { class: "dot running", role: "img", "aria-label": "runs" }) : null, h("span", { class: "cut grow" }, one.label || one.opening || "…")),
      h("div", { class: "small muted" }, time(one.spoken))))));
  }

  async refreshList() {
    await load(LIST, ({ data }) => {
      this.threads = data;
      this.drawList(data, this.openRuns || []);
    }).catch((error) => { if (!this.threads) put(this.list, h("li", {}, failure(error, () => this.refreshList()))); });
  }

  // The agent that was asked last, where one was.
  async showTalk() {
    if (!this.id) return void put(this.turns, h("div", { class: "start" }, h("h1", {}, `Hello${this.session.person.name === "owner" ? "" : `, ${this.session.person.name}`}`), h("p", { class: "muted" }, "Ask something, or give it something to do.")));
    try {
      const [thread, { Turn, personWords, turnsOf }] = await Promise.all([call("GET", `/v1/threads/${this.id}`), turnParts()]);
      this.title.textContent = short(thread.label || thread.opening || "Conversation", 80);
      const turns = turnsOf(thread.messages, thread.runs);
      const open = thread.runs.filter((run) => goesOn(run.status)).reverse();
      put(this.turns, turns.filter((turn) => !open.some((run) => run.id === turn.run)).map((turn) => turn.node));
      for (const run of open) {
        const turn = this.open(run, Turn);
        turn.body.before(personWords(run.question));
        this.follow(run, turn);
      }
      this.retellInView(turns);
      this.showFiles(turns).catch(() => {});
      requestAnimationFrame(() => this.keepDown(true));
      return thread.runs[0]?.model;
    } catch (error) {
      return void put(this.turns, error.status === 404 ? notice("There is no such conversation.", "It may be somebody else's.", h("a", { href: "/chat" }, "Begin a new one")) : failure(error, () => this.showTalk()));
    }
  }

  async showFiles(turns) {
    const { data } = await call("GET", `/v1/blobs?limit=500&conversation=${this.id}`);
    for (const turn of turns) turn.bring(data.filter((one) => one.run === turn.run));
  }

  // What tools did between the words is asked for when a turn comes into view.
  retellInView(turns) {
    const near = new IntersectionObserver((seen) => {
      for (const one of seen.filter((entry) => entry.isIntersecting)) {
        near.unobserve(one.target);
        const turn = turns.find((each) => each.node === one.target);
        told(`/v1/runs/${turn.run}/events`).then((events) => turn.retell(events)).catch(() => {});
      }
    }, { root: this.turns, rootMargin: "400px" });
    for (const turn of turns) if (turn.run) near.observe(turn.node);
    this.ends.push(() => near.disconnect());
  }

  async begin() {
    this.ends.push(watchRuns((runs) => {
      this.openRuns = runs;
      if (this.threads) this.drawList(this.threads, runs);
    }));
    const talk = this.showTalk();
    if (!this.id) await painted(); // what people wait for is there: the rest comes behind it
    this.typed();
    if (matchMedia("(min-width: 861px)").matches) this.input.focus();
    this.ends.push(every(30000, () => this.refreshList()));
    turnParts().catch(() => {});
    const known = await agents().catch(() => []);
    if (known.length) put(this.agent, known.map((one) => h("option", { value: one.id, title: one.purpose }, one.id)));
    const last = await talk, wanted = this.wanted || last;
    if (known.some((one) => one.id === wanted)) this.agent.value = wanted;
  }
}

export async function show(main, context) {
  const chat = new Chat(main, context);
  await chat.begin();
  return () => chat.ends.forEach((end) => end());
}
