// Who may do what, as the server's policy decides it: a row for each tool, a column for each person. The owner changes it here.
import { h } from "./dom.js";
import { asking, choice, field, mark, table, tag } from "./page.js";
import { call } from "./store.js";

const VERDICTS = { allow: ["ok", "may"], ask: ["warn", "asks first"], deny: ["quiet", "may not"] };
const WORDS = [["shipped", "As Hearth is shipped"], ["allow", "May, where Hearth would ask"], ["ask", "Asks first"], ["deny", "May not"]];
const READ_AGAIN = 1200; // ms: by then the server goes by a new rule

function change(person, tool, again) {
  const verdict = choice(WORDS);
  asking(`${tool.tool}: ${person.name}`, [h("p", { class: "muted small" }, "A rule of the house for this person and this tool. It makes anything stricter, and loosens only what would be asked about."), field("From now on", verdict)], "Save",
    () => call("POST", `/v1/people/${person.id}/rights`, { tool: tool.tool, verdict: verdict.value }), () => setTimeout(again, READ_AGAIN));
}

function verdict(person, tool, again) {
  const one = person.tools.find((other) => other.tool === tool.tool && other.scope === tool.scope);
  if (!one) return "–";
  const said = [mark(...VERDICTS[one.verdict]), h("div", { class: "small muted mono" }, one.rule)];
  return again ? h("button", { class: "bare right", type: "button", title: one.why, "aria-label": `${tool.tool}, ${person.name}: ${VERDICTS[one.verdict][1]}. Change`, onclick: () => change(person, tool, again) }, said) : h("div", { title: one.why }, said);
}

// `again` draws them anew, of whoever may change them.
export function drawRights(node, people, again) {
  if (!people.length) return;
  node.append(h("p", { class: "small muted" }, "As each tool would be decided on now, in words of nobody else. Text from outside makes it stricter."),
    table("Rights", [["Tool", (one) => [h("span", { class: "strong" }, one.tool), " ", tag(one.scope)]], ...people.map((person) => [person.name, (one) => verdict(person, one, again)])], people[0].tools));
}
