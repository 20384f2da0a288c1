// A list of which only the rows in view are elements, however many there are: all rows of one height, the rest is room above and below.
import { put } from "./dom.js";

const AROUND = 12; // rows beyond the edges: the next one is there for the keyboard, and none is missed while it scrolls

export class Windowed {
  // draw(item) makes the <li> of one; items have ids. near() is called when the end is close.
  constructor(list, scroller, draw, near) {
    Object.assign(this, { list, scroller, draw, near, items: [], nodes: new Map(), asked: false });
    this.turn = () => {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.show(); });
    };
    scroller.addEventListener("scroll", this.turn, { passive: true });
    this.sizes = new ResizeObserver(this.turn);
    this.sizes.observe(scroller);
  }

  close() {
    this.scroller.removeEventListener("scroll", this.turn);
    this.sizes.disconnect();
  }

  height() {
    return Number.parseFloat(getComputedStyle(this.list).getPropertyValue("--row")) || 47;
  }

  set(items) {
    this.items = items;
    this.nodes.clear();
    put(this.list);
    this.show();
  }

  add(items) {
    this.items.push(...items);
    this.show();
  }

  // A new one on top: what is looked at stays where it is.
  prepend(item) {
    const below = this.list.getBoundingClientRect().top < this.scroller.getBoundingClientRect().top;
    this.items.unshift(item);
    if (below) this.scroller.scrollTop += this.height();
    this.show();
  }

  // The same row with other content, where it is; nothing where there is none.
  change(item) {
    const at = this.items.findIndex((one) => one.id === item.id);
    if (at < 0) return;
    this.items[at] = item;
    const old = this.nodes.get(item.id);
    if (!old) return;
    const fresh = this.draw(item), focused = old.contains(document.activeElement);
    old.replaceWith(fresh);
    this.nodes.set(item.id, fresh);
    if (focused) fresh.querySelector("a, button")?.focus();
  }

  show() {
    const row = this.height();
    const above = this.scroller.getBoundingClientRect().top - this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(above / row) - AROUND), last = Math.min(this.items.length, Math.ceil((above + this.scroller.clientHeight) / row) + AROUND);
    const wanted = this.items.slice(first, Math.max(first, last));
    const kept = new Set(wanted.map((one) => one.id));
    for (const [id, node] of this.nodes) {
      if (kept.has(id)) continue;
      node.remove();
      this.nodes.delete(id);
    }
    let before = null;
    for (const item of wanted.reverse()) {
      let node = this.nodes.get(item.id);
      if (!node) this.nodes.set(item.id, (node = this.draw(item)));
      if (node.parentNode !== this.list || node.nextSibling !== before) this.list.insertBefore(node, before);
      before = node;
    }
    this.list.style.paddingTop = `${first * row}px`;
    this.list.style.paddingBottom = `${(this.items.length - first - wanted.length) * row}px`;
    this.list.dataset.rows = this.items.length;
    if (this.items.length - last < AROUND * 2) this.near();
  }
}
