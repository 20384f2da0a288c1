// Markdown of answers as elements: a few kinds of them, made here, and text. Nothing is fetched; a link is opened by whoever clicks it.
import { h } from "./dom.js";

const SPAN = /(`+)([\s\S]*?[^`])\1(?!`)|!?\[([^\]\n]*)\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+"[^"\n]*")?\)|(\*\*|__)(?=\S)([\s\S]*?\S)\5|(?<![\w*])([*_])(?=\S)([^\n]*?\S)\7(?!\w)|~~(?=\S)([\s\S]*?\S)~~|\bhttps?:\/\/[^\s<>()"']*[^\s<>()"'.,;:!?]/;

function link(text, target) {
  if (!/^(https?|mailto):/i.test(target)) return text;
  return h("a", { href: target, rel: "noopener noreferrer", target: "_blank" }, text);
}

const MOST = 20000; // characters of a paragraph in which marks are looked for: to look takes longer than to read

export function inline(text) {
  if (text.length > MOST) return [text];
  const out = [];
  for (let rest = text; rest;) {
    const found = SPAN.exec(rest);
    if (!found) {
      out.push(rest);
      break;
    }
    if (found.index) out.push(rest.slice(0, found.index));
    const [all, , code, label, target, , strong, , weak, struck] = found;
    if (code !== undefined) out.push(h("code", {}, code));
    else if (target !== undefined) out.push(link(label ? inline(label) : target, target));
    else if (strong !== undefined) out.push(h("strong", {}, inline(strong)));
    else if (weak !== undefined) out.push(h("em", {}, inline(weak)));
    else if (struck !== undefined) out.push(h("s", {}, inline(struck)));
    else out.push(link(all, all));
    rest = rest.slice(found.index + all.length);
  }
  return out;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/, HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/, ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/, QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/, TABLE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const begins = (line) => FENCE.test(line) || HEADING.test(line) || ITEM.test(line) || QUOTE.test(line) || RULE.test(line);

function fence(lines, found) {
  lines.shift();
  const code = [];
  while (lines.length && !lines[0].trim().startsWith(found[1])) code.push(lines.shift());
  lines.shift();
  return h("pre", { tabindex: "0" }, h("code", {}, code.join("\n")));
}

function list(lines, depth) {
  const first = ITEM.exec(lines[0]);
  const ordered = /\d/.test(first[2]);
  const items = [];
  const indent = first[1].length;
  while (lines.length) {
    const found = ITEM.exec(lines[0]);
    if (!found || found[1].length < indent || /\d/.test(found[2]) !== ordered) break;
    const body = [found[3]];
    lines.shift();
    while (lines.length && (/^\s*$/.test(lines[0]) ? /^ {2,}\S/.test(lines[1] || "") : /^\s/.test(lines[0]) && lines[0].search(/\S/) > indent)) body.push(lines.shift().slice(indent + 2));
    const blocks = depth < 12 ? blocksOf(body, depth + 1) : [h("p", {}, body.join(" "))];
    items.push(h("li", {}, blocks.length && blocks[0].tagName === "P" ? [...blocks[0].childNodes, ...blocks.slice(1)] : blocks));
    while (lines.length && !lines[0].trim() && ITEM.test(lines[1] || "")) lines.shift();
  }
  return ordered ? h("ol", { start: parseInt(first[2], 10) }, items) : h("ul", {}, items);
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));

function table(lines) {
  const head = cells(lines.shift());
  lines.shift();
  const rows = [];
  while (lines.length && lines[0].includes("|")) rows.push(cells(lines.shift()));
  return h("div", { class: "scroll", tabindex: "0" }, h("table", {}, h("thead", {}, h("tr", {}, head.map((cell) => h("th", {}, cell)))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}

function quote(lines, depth) {
  const body = [];
  for (let found; lines.length && (found = QUOTE.exec(lines[0])); lines.shift()) body.push(found[1]);
  return h("blockquote", {}, depth < 12 ? blocksOf(body, depth + 1) : body.join(" "));
}

function paragraph(lines) {
  const body = [lines.shift()];
  while (lines.length && lines[0].trim() && !begins(lines[0])) body.push(lines.shift());
  return h("p", {}, body.map((line, at) => [at ? h("br") : null, inline(line)]));
}

function blocksOf(lines, depth) {
  const out = [];
  while (lines.length) {
    const line = lines[0];
    let found;
    if (!line.trim()) lines.shift();
    else if ((found = FENCE.exec(line))) out.push(fence(lines, found));
    else if (RULE.test(line)) { lines.shift(); out.push(h("hr")); }
    else if ((found = HEADING.exec(line))) { lines.shift(); out.push(h(`h${Math.min(6, found[1].length + 2)}`, {}, inline(found[2]))); }
    else if (QUOTE.test(line)) out.push(quote(lines, depth));
    else if (ITEM.test(line)) out.push(list(lines, depth));
    else if (line.includes("|") && TABLE.test(lines[1] || "")) out.push(table(lines));
    else out.push(paragraph(lines));
  }
  return out;
}

export const markdown = (text) => blocksOf(text.replace(/\r\n?/g, "\n").split("\n"), 0);
