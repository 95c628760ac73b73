"use strict";
// The numbers of a term: at a glance, by method, and what each of them means.

const MEASURES = {
  accuracy: { title: "accuracy", text: "Share of cells whose label a logistic regression on this term's loadings alone gets right." },
  balanced_accuracy: { title: "balanced accuracy", text: "The same, each group counting alike however many cells it has; guessing gives 0.5 for two groups." },
  auroc: { title: "AUROC", text: "Chance that a cell of one group ranks above a cell of the other by its loading: 0.5 is no better than chance, 1 is perfect." },
};

function tile(title, value, ...notes) {
  return make("div", { class: "tile" }, make("dt", {}, title), make("dd", {}, value),
    notes.filter(Boolean).map(note => make("dd", { class: "small" }, note)));
}

function tiles(facts, method, term, go) {
  const t = method.number.get(term);
  const active = method.active[t];
  const found = [tile("Relevance", active ? `rank ${method.rank[t]} of ${method.terms.length}` : "off",
    `${method.relevance_is}: ${significant(method.relevance[t])}`,
    facts.rankSpread(method, term))];
  const label = facts.firstLabel(method);
  if (label !== null) {
    const split = facts.bestSplit(method, term, label);
    const spread = facts.scoreSpread(method, term, label, split, "auroc");
    const right = fixed(facts.score(method, term, label, split, "accuracy"), 3);
    found.push(tile(`Separates ${readable(label)}`,
      `AUROC ${fixed(facts.score(method, term, label, split, "auroc"), 3)}`,
      `${SPLITS[split].text}; 0.5 is chance, 1 is perfect`,
      spread && `${spread} over seeds`,
      facts.guess[label] ? `accuracy ${right}, always guessing the largest group: ${fixed(facts.guess[label], 3)}` : `accuracy ${right}`));
  }
  const [hardest, ...others] = facts.stabilities(method, term);
  found.push(hardest === undefined
    ? tile("Stability", "–", Object.keys(method.stability).length ? "off in the fits compared" : "not measured for this method")
    : tile("Stability", `|r| ${fixed(hardest.r)}`,
      `correlation of its loadings between ${STABILITY[hardest.kind].text}`,
      fixed(hardest.low) === fixed(hardest.high) ? null : `${fixed(hardest.low)} to ${fixed(hardest.high)} over the pairs compared`,
      others.length ? others.map(({ kind, r }) => `${STABILITY[kind].short}: ${fixed(r)}`).join(", ") : null));
  const models = facts.methods.filter(m => !m.control && m.name in method.agreement);
  if (models.length) {
    const { agreed, median, low, high } = facts.agreement(method, models, term);
    const reason = !facts.setNumber.has(term) ? "a factor without a gene set has no counterpart elsewhere"
      : active ? "off in every other model" : "off in this method";
    found.push(agreed.length
      ? tile("Agreement", `|r| ${fixed(median)}`, agreed.length === 1
        ? "with the one other model in which it is on"
        : `median over the ${agreed.length} other models in which it is on`,
      fixed(low) === fixed(high) ? null : `${fixed(low)} to ${fixed(high)} over models and pairs of seeds`)
      : tile("Agreement", "–", reason));
  }
  if (method.necessity.necessity) {
    const names = method.necessity.stand_ins[t];
    const alone = method.necessity.irreplaceable[t];
    found.push(tile("Necessity", significant(method.necessity.necessity[t]),
      missing(alone) ? "how much worse the fit gets without it; near zero: other terms can say the same"
        : `how much worse the fit gets without it; other terms take over ${Math.round(100 * Math.min(1, Math.max(0, 1 - alone)))}% of what it explains`,
      names.length ? make("span", {}, "stand-ins: ", names.flatMap((name, i) => [i ? make("br") : "", termLink(method, name, go)])) : null));
  }
  const family = method.families.find(names => names.includes(term));
  if (family) {
    const others = family.filter(name => name !== term);
    found.push(tile("Family", `${family.length} terms`, "among which the data cannot decide; another run may use another of their names",
      make("span", {}, "with ", others.flatMap((name, i) => [i ? make("br") : "", termLink(method, name, go),
        method.active[method.number.get(name)] ? " (on)" : ""]))));
  }
  return make("dl", { class: "tiles" }, found);
}

function termLink(method, name, go) {
  if (!method.number.has(name)) return readable(name);
  return make("button", { type: "button", class: "link", onclick: () => go({ term: name }) }, readable(name));
}

function accuracySection(facts, method, term) {
  const labels = Object.keys(method.accuracy);
  if (!labels.length) return null;
  return make("section", { class: "card", id: "accuracy" },
    make("h3", {}, "How well it separates the cells"),
    make("p", { class: "small" }, "A logistic regression guesses the label of a cell from its loading on this one term. Below a number: the range over the method's seeds, where it has several."),
    labels.map(label => make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, readable(label)),
        Object.values(MEASURES).map(m => make("th", { scope: "col", class: "number", title: m.text }, m.title)))),
      make("tbody", {},
        Object.keys(method.accuracy[label]).map(split => make("tr", {},
          make("th", { scope: "row" }, SPLITS[split]?.title ?? readable(split),
            make("span", { class: "small" }, SPLITS[split]?.text ?? "")),
          Object.keys(MEASURES).map(measure => make("td", { class: "number" },
            fixed(facts.score(method, term, label, split, measure), 3),
            make("div", { class: "small" }, facts.scoreSpread(method, term, label, split, measure)))))),
        facts.guess[label] ? make("tr", { class: "muted" },
          make("th", { scope: "row" }, "always the largest group"),
          make("td", { class: "number" }, fixed(facts.guess[label], 3)), make("td"), make("td")) : null))));
}

function methodsSection(facts, method, term, go) {
  const shown = facts.methods.filter(m => m === method || (facts.setNumber.has(term) && m.number.has(term)));
  const label = facts.firstLabel(method);
  const splits = label === null ? [] : [...new Set(shown.flatMap(m => Object.keys(m.accuracy[label] ?? {})))];
  const kinds = Object.keys(STABILITY).filter(kind => shown.some(m => kind in m.stability));
  const at = (m, column) => (column ? column[m.number.get(term)] : null);
  const columns = [
    ["rank", "Rank by relevance in that method, 1 is first", m => (m.active[m.number.get(term)] ? String(at(m, m.rank)) : "off")],
    ...(shown.some(m => facts.detected(m, term)) ? [["detected", DETECTED, m => {
      const found = facts.detected(m, term);
      return found ? [found.is ? "yes" : "no", make("div", { class: "small" }, `q ${significant(found.q)}`)] : fixed(null);
    }]] : []),
    ["added", "Genes that the method adds to the set", m => String(facts.genesOf(m, term).filter(g => g.kind === "added").length)],
    ["removed", "Genes that it takes out of the set", m => String(facts.genesOf(m, term).filter(g => g.kind === "removed").length)],
    ...splits.map(split => [`accuracy, ${SPLITS[split]?.title ?? readable(split)}`, `Accuracy for ${readable(label)}, ${SPLITS[split]?.text ?? ""}`,
      m => fixed(facts.score(m, term, label, split, "accuracy"), 3)]),
    ...kinds.map(kind => [`stability, ${STABILITY[kind].short}`, `Mean |r| of the term's loadings between ${STABILITY[kind].text}`,
      m => fixed(at(m, m.stability[kind]?.r))]),
    ...(shown.length > 1 ? [["r with the picked", `Correlation of the term's loadings with those of ${method.label}, cell by cell, of the first seeds; empty where one of the two is off. Below: the range of its size over all pairs of seeds`,
      m => (m === method ? "" : [fixed(at(m, method.agreement[m.name]?.r)),
        make("div", { class: "small" }, facts.agreementSpread(method, m, term))])]] : []),
  ];
  return make("section", { class: "card wide", id: "by-method" },
    make("h3", {}, "The same term in every method"),
    facts.setNumber.has(term) ? null : make("p", { class: "small" },
      "A factor without a gene set: another method's factor of the same name is something else."),
    make("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "The term in every method" }, make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "method"),
        columns.map(([title, text]) => make("th", { scope: "col", class: "number", title: text }, title)))),
      make("tbody", {}, shown.map(m => make("tr", { class: m === method ? "picked" : null, "data-method": m.name },
        make("th", { scope: "row" }, make("span", { class: "dot", style: `background: ${m.color}` }),
          m === method ? m.label : make("button", { type: "button", class: "link", onclick: () => go({ method: m.name }) }, m.label)),
        columns.map(([, , value]) => make("td", { class: "number" }, value(m)))))))));
}

// The gene sets that were left out before any method ran, and why.
function droppedSection(facts) {
  if (!facts.dropped.length) return null;
  const columns = [["genes in the set", "n_genes"], ["in the data", "in_data"], ["analysed", "kept_genes"]];
  return make("details", { class: "card wide", id: "dropped" },
    make("summary", {}, `${plural(facts.dropped.length, "gene set")} left out before any method ran, and why`),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Gene sets left out" }, make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "gene set"), make("th", { scope: "col" }, "why"),
        columns.map(([title]) => make("th", { scope: "col", class: "number" }, title)))),
      make("tbody", {}, facts.dropped.map(set => make("tr", {}, make("th", { scope: "row" }, readable(set.name)), make("td", {}, set.why),
        columns.map(([, key]) => make("td", { class: "number" }, whole(set[key])))))))));
}

const lower = text => text[0].toLowerCase() + text.slice(1);

function glossary(facts, method) {
  const entries = [
    ["relevance", `how much a term matters to the method (${method.relevance_is}); each method has its own unit, so compare ranks between methods`],
    ["active", `${lower(ACTIVE)} A control switches nothing off.`],
    ["off", lower(OFF)],
    ...(facts.methods.some(m => m.detected.q) ? [["detected", `${lower(DETECTED)} A term may be detected and off: its genes do move together, but another term explains that as well.`]] : []),
    ...Object.values(MEASURES).map(m => [m.title, m.text]),
    ...Object.values(SPLITS).filter((_, i) => Object.keys(SPLITS).some((split, k) => k === i
      && facts.methods.some(m => Object.values(m.accuracy).some(a => split in a)))).map(s => [s.title, s.text]),
    ["stability", "|r| of the term's loadings between two fits of the same method, mean over the pairs in both of which it is on; below about 0.8 another run would tell another story"],
    ["agreement", "the same between two methods: a low value means that they use the same name for different things"],
    ...(facts.methods.some(m => m.necessity.necessity) ? [["necessity", "rise of the objective when the term is forbidden and the others are refitted; stand-ins are the terms that grow to take its place"]] : []),
    ...(facts.methods.some(m => m.families.length) ? [["family", "terms that could take each other's place in the fit at hardly any cost: gene sets that nest or nearly repeat each other; what is found is the family, its name is one of several"]] : []),
  ];
  return make("details", { class: "card wide", id: "glossary" }, make("summary", {}, "What the words mean"),
    make("dl", { class: "glossary" }, entries.map(([word, text]) => [make("dt", {}, word), make("dd", {}, text)])));
}
