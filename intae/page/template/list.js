"use strict";
// The list of terms at the side: filtered as one types, sorted, used with keys or mouse.

const FEW_MEMBERS = 3; // of a family, named in its line

class TermList {
  constructor(facts, pick) {
    this.facts = facts;
    this.pick = pick;
    this.search = document.getElementById("search");
    this.sort = document.getElementById("sort");
    this.byFamily = document.getElementById("by-family");
    this.list = document.getElementById("terms");
    this.count = document.getElementById("count");
    this.search.addEventListener("input", () => {
      this.fill();
      if (this.search.value) this.mark(this.shown.length ? 0 : -1, false);
    });
    for (const choice of [this.sort, this.byFamily]) choice.addEventListener("change", () => this.fill());
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
      this.familyOf = new Map(method.families.flatMap(names => names.map(name => [name, names])));
      this.byFamily.parentElement.hidden = !this.familyOf.size;
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

  // The term in whose line a term stands: the most relevant one of its family, or itself. What is
  // searched for stands by itself.
  lineOf(term) {
    const alone = !this.byFamily.checked || this.search.value.trim();
    return alone ? term : this.familyOf.get(term)?.[0] ?? term;
  }

  fill() {
    const { method } = this;
    const value = this.facts.orders(method)[this.sort.value]?.value;
    const on = term => method.active[method.number.get(term)];
    const height = term => (value ? value(term) ?? -Infinity : 0);
    const found = this.matches();
    const shown = found.filter(term => this.lineOf(term) === term).sort((a, b) =>
      on(b) - on(a) || height(b) - height(a) || (readable(a) < readable(b) ? -1 : 1));
    const most = value ? Math.max(...method.terms.map(t => Math.abs(value(t) ?? 0)), 1e-30) : 1;
    const detected = term => this.facts.detected(method, term)?.is;
    this.count.textContent = found.length === method.terms.length
      ? `${plural(found.length, "term")}, ${found.filter(on).length} on`
        + (method.detected.q ? `, ${plural(found.filter(detected).length, "gene set")} detected` : "")
      : `${found.length} of ${plural(method.terms.length, "term")}`;
    this.list.replaceChildren(...shown.map((term, i) => {
      const number = value ? value(term) : null;
      const part = missing(number) ? 0 : Math.max(0, number / most);
      return make("li", {
        id: `term-${i}`, role: "option", "aria-selected": String(term === this.lineOf(this.term)),
        class: on(term) ? null : "off", style: `--part: ${part.toFixed(3)}`,
        onclick: () => this.pick(term),
      }, make("span", { class: "name" }, readable(term)),
        make("span", { class: "value" }, on(term) ? (value ? significant(number) : "") : "off"),
        this.members(term));
    }));
    this.shown = shown;
    this.mark(shown.indexOf(this.lineOf(this.term)), false);
  }

  // The other terms that stand in a term's line; all of them are named in the tooltip.
  members(term) {
    const others = (this.familyOf.get(term) ?? []).filter(name => name !== term && this.lineOf(name) === term);
    if (!others.length) return null;
    const more = others.length - FEW_MEMBERS;
    return make("span", { class: "members", title: others.map(readable).join("\n") },
      `with ${others.slice(0, FEW_MEMBERS).map(readable).join(", ")}${more > 0 ? ` and ${more} more` : ""}`);
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
