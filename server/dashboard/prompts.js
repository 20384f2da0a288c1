// What agents are told: versions of each text, what changed, and which is live.
import { announce, dialog, failure, h, notice, put } from "./dom.js";
import { wholeTime } from "./format.js";
import { lineDiff } from "./diff.js";
import { fill, page, tag } from "./page.js";
import { note } from "./router.js";
import { call } from "./store.js";

const LABELS = { live: "live", draft: "draft" };

function versionOption(one) {
  return h("option", { value: String(one.version) }, `${one.version}${one.labels.length ? ` (${one.labels.join(", ")})` : ""}`);
}

class Prompt {
  constructor(root, name, query, changed) {
    Object.assign(this, { root, name, query, changed });
  }

  async look() {
    try {
      this.draw(await call("GET", `/v1/prompts/${encodeURIComponent(this.name)}`));
    } catch (error) {
      put(this.root, error.status === 404 ? notice("There is no such prompt.", "The list beside has all.") : failure(error, () => this.look()));
    }
  }

  draw({ versions }) {
    const live = versions.find((one) => one.labels.includes("live")) || versions[0];
    this.before = h("select", { "aria-label": "Compared with", onchange: () => this.compare() }, h("option", { value: "" }, "nothing"), versions.map(versionOption));
    this.after = h("select", { "aria-label": "Version", onchange: () => this.compare() }, versions.map(versionOption));
    this.versions = new Map(versions.map((one) => [String(one.version), one]));
    this.after.value = this.query.get("version") || String(live.version);
    this.before.value = this.query.get("from") || "";
    this.text = h("div");
    this.facts = h("div", { class: "row small muted" });
    this.actions = h("div", { class: "row" });
    put(this.root, h("a", { class: "button only-narrow", href: "/prompts" }, "All prompts"), h("div", { class: "row" }, h("h2", { class: "grow" }, this.name), this.actions),
      h("div", { class: "row small versions" }, h("label", {}, "Version ", this.after), h("label", {}, "compared with ", this.before)), this.facts, this.text);
    this.compare();
  }

  compare() {
    const one = this.versions.get(this.after.value) || this.versions.values().next().value;
    const other = this.versions.get(this.before.value);
    put(this.facts, one.labels.map((label) => tag(label, LABELS[label])), h("span", {}, `saved ${wholeTime(one.created)}`), one.released ? h("span", {}, `released: ${one.released}`) : null, one.quality ? h("span", {}, `measured: ${one.quality}`) : null);
    put(this.text, other ? lineDiff(other.text, one.text) : h("pre", { tabindex: "0" }, one.text));
    put(this.actions, h("button", { type: "button", onclick: () => this.edit(one) }, "Edit…"),
      one.labels.includes("live") ? h("button", { type: "button", onclick: () => this.rollBack() }, "Roll back…") : h("button", { class: "primary", type: "button", onclick: () => this.release(one) }, "Release…"));
    const query = new URLSearchParams({ version: String(one.version) });
    if (other) query.set("from", this.before.value);
    note(query);
  }

  edit(one) {
    const text = h("textarea", { rows: 16, class: "mono", spellcheck: "false", value: one.text });
    text.style.width = "100%";
    const wrong = h("p", { class: "wrong", role: "alert" });
    const save = async (close) => {
      try {
        const saved = await call("POST", `/v1/prompts/${encodeURIComponent(this.name)}`, { text: text.value });
        close();
        announce(`Version ${saved.version} is saved as a draft.`);
        this.query = new URLSearchParams({ version: String(saved.version), from: String(one.version) });
        this.look();
        this.changed();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    dialog(`${this.name}: a new version`, [h("p", { class: "muted" }, "It is saved as a draft; agents go on reading what is live."), wrong, h("label", { class: "field" }, "Text", text)], [["Save the draft", save]]).classList.add("large");
  }

  // Names what goes live: with a measurement that speaks for it, or on somebody's word.
  release(one) {
    const reason = h("input", {});
    const wrong = h("p", { class: "wrong", role: "alert" });
    const act = (override) => async (close) => {
      try {
        await call("POST", `/v1/prompts/${encodeURIComponent(this.name)}/release`, { version: one.version, ...(override ? { override: reason.value } : {}) });
        close();
        this.look();
        this.changed();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    dialog(`Make version ${one.version} of ${this.name} live`, [
      h("p", {}, "Every run that begins from then on reads it."), wrong,
      h("label", { class: "field" }, "Reason, where no measurement speaks for it", reason),
    ], [["Release as measured", act(false), "plain"], ["Release on my word", act(true)]]);
  }

  rollBack() {
    const wrong = h("p", { class: "wrong", role: "alert" });
    dialog(`Roll ${this.name} back`, [h("p", {}, "What was live before becomes live again, for every run that begins from then on."), wrong], [["Roll back", async (close) => {
      try {
        await call("POST", `/v1/prompts/${encodeURIComponent(this.name)}/rollback`);
        close();
        this.query = new URLSearchParams();
        this.look();
        this.changed();
      } catch (error) {
        wrong.textContent = error.message;
      }
    }]]);
  }
}

export async function show(main, { rest, query }) {
  const body = page(main, "Prompts");
  const list = h("ul", { class: "side" });
  const shown = h("div", { class: "stack" });
  put(body, h("div", { class: `split${rest[0] ? " chosen" : ""}` }, h("nav", { "aria-label": "Prompts" }, list), shown));
  const draw = (node, { data }) => node.append(...data.map((one) => h("li", {}, h("a", { href: `/prompts/${encodeURIComponent(one.name)}`, "data-row": true, "aria-current": one.name === rest[0] ? "true" : null },
    h("span", { class: "cut grow" }, one.name), one.newest > one.live ? tag(`draft ${one.newest}`, "draft") : null, h("span", { class: "small muted" }, `v${one.live}`)))));
  const again = fill(list, "/v1/prompts", draw);
  again.then(() => list.querySelector("[aria-current]")?.scrollIntoView({ block: "center" }));
  if (rest[0]) await new Prompt(shown, rest[0], query, async () => (await again)()).look();
  else put(shown, notice("Choose a prompt.", "Its versions, what changed between them, and which is live."));
}
