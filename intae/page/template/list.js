"use strict";
// The list of terms at the side: filtered as one types, sorted, used with keys or mouse.

class TermList {
  constructor(facts, pick) {
    this.facts = facts;
    this.pick = pick;
    this.search = document.getElementById("search");
    this.sort = document.getElementById("sort");
    this.list = document.getElementById("terms");
    this.count = document.getElementById("count");
    this.search.addEventListener("input", () => {
      this.fill();
      if (this.search.value) this.mark(this.shown.length ? 0 : -1, false);
    });
    this.sort.addEventListener("change", () => this.fill());
    for (const element of [this.search, this.list]) {
      element.addEventListener("keydown", event => this.key(event));
    }
    document.addEventListener("keydown", event => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing) {
        event.preventDefault();
        this.search.focus();
      }
    });
  }

  // Show the terms of a method, with this one picked.
  show(method, term) {
    if (this.method !== method) {
      this.method = method;
      const chosen = this.sort.value;
      const orders = Object.entries(this.facts.orders(method));
      this.sort.replaceChildren(
        ...orders.map(([key, order]) => make("option", { value: key }, order.title)),
        make("option", { value: "name" }, "name"),
      );
      this.sort.value = Array.from(this.sort.options).some(o => o.value === chosen) ? chosen : "relevance";
    }
    this.term = term;
    this.fill();
  }

  // Terms whose name holds every word typed, or that have a gene of that name.
  matches() {
    const typed = readable(this.search.value).toUpperCase().trim();
    const words = typed.split(/\s+/).filter(Boolean);
    const gene = this.facts.genes.findIndex(name => name.toUpperCase() === typed);
    return this.method.terms.filter(term => {
      const name = readable(term).toUpperCase();
      return words.every(word => name.includes(word))
        || (gene >= 0 && this.facts.setGenes(term).includes(gene));
    });
  }

  fill() {
    const { method } = this;
    const value = this.facts.orders(method)[this.sort.value]?.value;
    const on = term => method.active[method.number.get(term)];
    const height = term => (value ? value(term) ?? -Infinity : 0);
    const shown = this.matches().sort((a, b) =>
      on(b) - on(a) || height(b) - height(a) || (readable(a) < readable(b) ? -1 : 1));
    const most = value ? Math.max(...method.terms.map(t => Math.abs(value(t) ?? 0)), 1e-30) : 1;
    this.count.textContent = shown.length === method.terms.length
      ? `${plural(shown.length, "term")}, ${shown.filter(on).length} on`
      : `${shown.length} of ${plural(method.terms.length, "term")}`;
    this.list.replaceChildren(...shown.map((term, i) => {
      const number = value ? value(term) : null;
      const part = missing(number) ? 0 : Math.max(0, number / most);
      return make("li", {
        id: `term-${i}`, role: "option", "aria-selected": String(term === this.term),
        class: on(term) ? null : "off", style: `--part: ${part.toFixed(3)}`,
        onclick: () => this.pick(term),
      }, make("span", { class: "name" }, readable(term)),
        make("span", { class: "value" }, on(term) ? (value ? significant(number) : "") : "off"));
    }));
    this.shown = shown;
    this.mark(shown.indexOf(this.term), false);
  }

  // Mark an item as the one that Enter picks.
  mark(i, follow = true) {
    this.marked = i;
    for (const [k, item] of Array.from(this.list.children).entries()) {
      item.classList.toggle("marked", k === i);
    }
    for (const element of [this.search, this.list]) {
      if (i >= 0) element.setAttribute("aria-activedescendant", `term-${i}`);
      else element.removeAttribute("aria-activedescendant");
    }
    const item = this.list.children[i];
    if (!item) return;
    const [above, below] = [item.offsetTop, item.offsetTop + item.offsetHeight];
    const { scrollTop, clientHeight } = this.list;
    if (above < scrollTop || below > scrollTop + clientHeight) {
      this.list.scrollTop = above - (follow ? 60 : clientHeight / 3);
    }
  }

  key(event) {
    const last = this.shown.length - 1;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (event.key in moves && last >= 0) {
      this.mark(Math.min(last, Math.max(0, this.marked + moves[event.key])));
    } else if (event.key === "Enter" && last >= 0) {
      this.pick(this.shown[Math.max(0, this.marked)]);
    } else if (event.key === "Escape" && this.search.value) {
      this.search.value = "";
      this.fill();
    } else {
      return;
    }
    event.preventDefault();
  }
}
