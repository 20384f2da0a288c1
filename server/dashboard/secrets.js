// Secrets by name. Their values are seen by nobody, here or elsewhere.
import { h, notice } from "./dom.js";
import { wholeTime } from "./format.js";
import { card, fill, page, table, tag } from "./page.js";

export async function show(main) {
  const body = page(main, "Secrets");
  await fill(body, "/v1/secrets", (node, { data }) => node.append(card("Names", data.length ? table("Secrets", [
    ["Name", (one) => h("span", { class: "mono strong" }, one.name)], ["Of", (one) => tag(one.of === "house" ? "the house" : "you")], ["For", (one) => (one.tools.length ? `tools: ${one.tools.join(", ")}` : one.host || "whichever server the settings name")],
    ["Version", (one) => one.version, "number"], ["Changed", (one) => wholeTime(one.changed)],
  ], data) : notice("There are no secrets.", "Keys of other servers and tokens of bots are kept sealed, and named here."), h("p", { class: "small muted" }, "A value is set where nobody reads along: ", h("code", {}, "hearth secret set NAME"), ", and never shown again."))));
}
