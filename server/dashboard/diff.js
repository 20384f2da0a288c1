// What changed between two texts, by lines.
import { h } from "./dom.js";

const MOST = 2000; // lines of which the longest common part is looked for

// Lines of both as [kind, text]: "same", "gone", "added".
export function changes(before, after) {
  const a = before.split("\n"), b = after.split("\n");
  if (a.length > MOST || b.length > MOST) return [...a.map((line) => ["gone", line]), ...b.map((line) => ["added", line])];
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; --i)
    for (let j = b.length - 1; j >= 0; --j)
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  const out = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push(["same", a[i]]);
      ++i, ++j;
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) out.push(["gone", a[i++]]);
    else out.push(["added", b[j++]]);
  }
  return out;
}

const SIGNS = { same: " ", gone: "−", added: "+" };

export function lineDiff(before, after) {
  const lines = changes(before, after);
  if (lines.every(([kind]) => kind === "same")) return h("p", { class: "muted" }, "The same text.");
  return h("div", { class: "diff", tabindex: "0", role: "region", "aria-label": "What changed" }, lines.map(([kind, text]) => h("div", { class: kind }, `${SIGNS[kind]} ${text}`)));
}
