// Who may do what, as the server's policy decides it: a row for each tool, a column for each person.
import { h } from "./dom.js";
import { mark, table, tag } from "./page.js";

const VERDICTS = { allow: ["ok", "may"], ask: ["warn", "asks first"], deny: ["quiet", "may not"] };

function verdict(person, tool) {
  const one = person.tools.find((other) => other.tool === tool.tool && other.scope === tool.scope);
  return one ? h("div", { title: one.why }, mark(...VERDICTS[one.verdict]), h("div", { class: "small muted mono" }, one.rule)) : "–";
}

export function drawRights(node, people) {
  if (!people.length) return;
  node.append(h("p", { class: "small muted" }, "As a tool would be decided on now, in words of nobody else. Text from outside makes it stricter. The owner changes it by ", h("span", { class: "mono" }, "hearth rule set"), "."),
    table("Rights", [["Tool", (one) => [h("span", { class: "strong" }, one.tool), " ", tag(one.scope)]], ...people.map((person) => [person.name, (one) => verdict(person, one)])], people[0].tools));
}
