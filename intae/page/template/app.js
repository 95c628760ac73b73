"use strict";
// The page as a whole: what is picked stands in the address (#term=...&method=...), and is drawn.

// Inside a report the page is a blob in a frame; there is no link to share from there.
const HAS_ADDRESS = /^(file|https?):$/.test(location.protocol);

class App {
  constructor(facts) {
    this.facts = facts;
    this.state = {};
    this.list = new TermList(facts, term => this.go({ term }));
    window.addEventListener("hashchange", () => this.read());
    document.getElementById("about-data").textContent =
      `${whole(facts.n_cells)} cells × ${whole(facts.genes.length)} genes, ${whole(facts.sets.names.length)} gene sets`;
    this.read();
  }

  // Take the choice from the address; what it does not name or names wrongly gets a default.
  read() {
    const wanted = HAS_ADDRESS ? Object.fromEntries(new URLSearchParams(location.hash.slice(1))) : {};
    this.state = this.complete({ ...wanted, split: wanted.split === "1" });
    this.draw();
  }

  complete(state) {
    const method = this.facts.method(state.method) ?? this.facts.methods[0];
    const labels = this.facts.views.map(view => view.label);
    return {
      method: method.name,
      term: method.number.has(state.term) ? state.term : firstTerm(method),
      by: labels.includes(state.by) ? state.by : labels[0],
      split: state.split,
    };
  }

  go(change) {
    const state = this.complete({ ...this.state, ...change });
    if (!HAS_ADDRESS) {
      this.state = state;
      this.draw();
      return;
    }
    const address = "#" + new URLSearchParams({ ...state, split: state.split ? "1" : "0" });
    if (location.hash === address) this.read();
    else location.hash = address; // which calls read
  }

  draw() {
    const { facts, state } = this;
    const method = facts.method(state.method);
    const go = change => this.go(change);
    document.documentElement.style.setProperty("--method", method.color);
    document.title = `${readable(state.term)} · ${facts.dataset}`;
    this.drawMethods();
    this.list.show(method, state.term);
    const sections = [
      heading(facts, method, state.term),
      tiles(facts, method, state.term, go),
      make("div", { class: "cards" },
        make("div", { class: "stack" }, genesSection(facts, method, state.term)),
        make("div", { class: "stack" },
          mapSection(facts, method, state.term),
          loadingsSection(facts, method, state.term, state, go),
          accuracySection(facts, method, state.term)),
        methodsSection(facts, method, state.term, go),
        droppedSection(facts),
        glossary(facts, method)),
    ];
    const focused = document.activeElement?.closest?.("#loadings") ? document.activeElement : null;
    const open = document.querySelector("details.list")?.open && this.drawn === `${state.method} ${state.term}`;
    const page = document.getElementById("page");
    page.querySelectorAll(".chart").forEach(chart => window.Plotly?.purge(chart));
    page.replaceChildren(...sections);
    if (this.drawn !== `${state.method} ${state.term}`) page.scrollTop = 0;
    this.drawn = `${state.method} ${state.term}`;
    if (open) page.querySelector("details.list").open = true;
    if (focused) page.querySelector(focused.id ? `#${focused.id}` : `#loadings [name=by]:checked`)?.focus();
    this.drawCharts();
  }

  // Plotly is unpacked after the text is there to read.
  drawCharts() {
    if (!window.Plotly) return;
    for (const section of document.querySelectorAll("#page section")) section.draw?.();
    const { by, split } = this.state;
    document.documentElement.dataset.drawn = `${this.drawn} by ${by}${split ? ", split" : ""}`;
  }

  drawMethods() {
    const box = document.getElementById("methods");
    if (box.querySelector("input") === null) {
      const controls = this.facts.methods.filter(method => method.control);
      const models = this.facts.methods.filter(method => !method.control);
      const pill = method => make("label", {},
        make("input", { type: "radio", name: "method", value: method.name, onchange: () => this.go({ method: method.name }) }),
        make("span", {}, make("i", { class: "dot", style: `background: ${method.color}` }), method.label));
      box.append(...models.map(pill));
      if (controls.length) box.append(make("i", { class: "small" }, "controls"), ...controls.map(pill));
    }
    for (const input of box.querySelectorAll("input")) input.checked = input.value === this.state.method;
  }
}

function firstTerm(method) {
  const isFree = t => method.kind[t] !== "annotated"; // a factor without a gene set comes after
  const order = [...method.terms.keys()].sort((a, b) => isFree(a) - isFree(b) || method.rank[a] - method.rank[b]);
  return method.terms[order[0]];
}

// Active and detected are two questions, so one may be answered with yes and the other with no.
function detectedBadge(found) {
  if (found === null) return null;
  return make("span", { class: found.is ? "badge on" : "badge off", title: found.is ? DETECTED : NOT_DETECTED },
    `${found.is ? "detected" : "not detected"} (q ${significant(found.q)})`);
}

function heading(facts, method, term) {
  const t = method.number.get(term);
  const active = method.active[t];
  const origin = facts.sets.origins[facts.setNumber.get(term)];
  const kinds = { annotated: "gene set", sparse: "sparse factor, tied to no gene set", dense: "dense factor, tied to no gene set" };
  const size = method.n_genes[t];
  return make("div", { class: "heading" },
    make("h2", {}, readable(term)),
    make("p", { class: "badges" },
      make("span", { class: "badge method" }, make("i", { class: "dot", style: `background: ${method.color}` }), `${method.label}, seed ${method.seed}`),
      make("span", { class: active ? "badge on" : "badge off", title: method.control ? null : active ? ACTIVE : OFF }, active ? "active" : "switched off"),
      detectedBadge(facts.detected(method, term)),
      make("span", { class: "badge" }, kinds[method.kind[t]] ?? method.kind[t]),
      facts.setNumber.has(term) ? make("span", { class: "badge" }, origin
        ? `${whole(size)} of its ${plural(origin.n_genes, "gene")} are among those analysed`
        : `${plural(size, "gene")} analysed`) : null),
    make("p", { class: "small" },
      origin ? ["From ", origin.collection, ": ", origin.link
        ? make("a", { href: origin.link, rel: "noreferrer noopener", target: "_blank" }, origin.full_name)
        : origin.full_name, origin.note ? `, “${origin.note}”` : "", ". "] : null,
      "Numbers and charts are of the first seed of each method; where it has several, the range over seeds stands beside what it scores. ",
      HAS_ADDRESS ? actionButton("Copy link to this view", "Copied", () => copyText(location.href)) : null));
}

async function start() {
  const wait = document.getElementById("wait");
  if (!("DecompressionStream" in window)) {
    wait.textContent = "This browser is too old to unpack the page; any of 2023 or later can.";
    return;
  }
  const facts = JSON.parse(await unpackText("packed-facts"));
  if (!facts.methods.length) {
    wait.textContent = "No fit of this data set ran to its end, so there is nothing to show yet.";
    return;
  }
  const app = new App(new Facts(facts, await unpackBytes("packed-numbers")));
  const script = make("script");
  script.textContent = await unpackText("packed-plotly");
  document.head.append(script);
  app.drawCharts();
}

start().catch(error => {
  document.getElementById("page").prepend(make("p", { class: "error" }, `The page could not be built: ${error.message}`));
  throw error;
});
