"use strict";
// Questions to the data; nothing here touches the page.

class Facts {
  constructor(facts, block) {
    Object.assign(this, facts);
    this.block = block;
    this.setNumber = new Map(this.sets.names.map((name, i) => [name, i]));
    for (const method of this.methods) {
      method.number = new Map(method.terms.map((name, i) => [name, i]));
    }
  }

  method(name) {
    return this.methods.find(method => method.name === name);
  }

  // Numbers of the genes in a term's set; none for a factor without one.
  setGenes(term) {
    const number = this.setNumber.get(term);
    return number === undefined ? [] : Array.from(rowAt(this.block, this.sets.genes, "genes", number));
  }

  // The genes of a term in a method: those with a weight, those in the set and those it changed.
  // Classes: annotated, added, removed, outside (a weight, though neither in the set nor added);
  // for a factor without a gene set: free.
  genesOf(method, term) {
    const t = method.number.get(term);
    const own = rowAt(this.block, method.weights, "genes", t);
    const values = rowAt(this.block, method.weights, "values", t);
    const weight = new Map(Array.from(own, (gene, i) => [gene, values[i]]));
    const inSet = new Set(this.setGenes(term));
    const added = new Set(rowAt(this.block, method.added, "genes", t));
    const removed = new Set(rowAt(this.block, method.removed, "genes", t));
    const hasSet = this.setNumber.has(term);
    const kind = gene => {
      if (!hasSet) return "free";
      if (removed.has(gene)) return "removed";
      if (inSet.has(gene)) return "annotated";
      return added.has(gene) ? "added" : "outside";
    };
    const all = new Set([...own, ...inSet, ...added, ...removed]);
    return Array.from(all, gene => ({
      name: this.genes[gene], weight: weight.get(gene) ?? 0, kind: kind(gene),
    })).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || (a.name < b.name ? -1 : 1));
  }

  // Whether the genes of a term's set move together, and the q value; null where it was not tested.
  detected(method, term) {
    const t = method.number.get(term);
    return missing(method.detected.q?.[t]) ? null : { is: method.detected.is[t], q: method.detected.q[t] };
  }

  // Quantiles of a term's loadings in the groups of a view, and its cells one by one; null where
  // all cells have the same loading.
  loadingsOf(method, term, viewNumber) {
    const packed = method.loadings;
    const row = packed.row[method.number.get(term)];
    if (row < 0) return null;
    const n_rows = packed.row.reduce((most, r) => Math.max(most, r), -1) + 1;
    const reader = (place, ranges) => {
      const steps = arrayAt(this.block, packed[place]);
      const range = arrayAt(this.block, packed[ranges]);
      const [low, high] = [range[row], range[n_rows + row]];
      const width = steps.length / n_rows;
      const most = 256 ** steps.BYTES_PER_ELEMENT - 1;
      return i => low + (high - low) * steps[row * width + i] / most;
    };
    const quantile = reader("quantiles", "quantile_range");
    const cell = reader("sample", "sample_range");
    const before = this.views.slice(0, viewNumber).reduce((n, v) => n + v.groups.length, 0);
    const view = this.views[viewNumber];
    const n = this.quantiles.length;
    const member = arrayAt(this.block, view.member);
    return view.groups.map((names, g) => ({
      names, color: view.colors[g], size: view.sizes[g],
      quantiles: this.quantiles.map((_, q) => quantile((before + g) * n + q)),
      cells: Array.from(member.keys()).filter(i => member[i] === g + 1).map(cell),
    }));
  }

  // The loadings of the cells shown, one by one; null where all cells have the same.
  sampleOf(method, term) {
    const packed = method.loadings;
    const row = packed.row[method.number.get(term)];
    if (row < 0) return null;
    const n_rows = packed.row.reduce((most, r) => Math.max(most, r), -1) + 1;
    const range = arrayAt(this.block, packed.sample_range);
    const steps = arrayAt(this.block, packed.sample).subarray(row * this.n_shown, (row + 1) * this.n_shown);
    return Array.from(steps, step => range[row] + (range[n_rows + row] - range[row]) * step / 255);
  }

  // Where the cells shown lie on the map: x and y, in no unit.
  places() {
    const steps = Array.from(arrayAt(this.block, this.map.places));
    return [steps.slice(0, this.n_shown), steps.slice(this.n_shown)];
  }

  // The hardest test of a term's separation that was made and has an AUROC.
  bestSplit(method, term, label) {
    const order = ["unseen_family", "unseen", "held_out", "train"].filter(split => split in method.accuracy[label]);
    return order.find(split => !missing(this.score(method, term, label, split, "auroc"))) ?? order.at(-1);
  }

  // The label whose accuracy is told first, if there is one.
  firstLabel(method) {
    return Object.keys(method.accuracy)[0] ?? null;
  }

  score(method, term, label, split, measure) {
    return method.accuracy[label]?.[split]?.[measure]?.[method.number.get(term)] ?? null;
  }

  // The least and the largest of a score over the seeds of a method, in words; empty for one seed.
  scoreSpread(method, term, label, split, measure) {
    const [low, high] = ["least", "most"].map(end => this.score(method, term, label, split, `${measure}_${end}`));
    return missing(low) ? "" : `${fixed(low, 3)} to ${fixed(high, 3)}`;
  }

  // In how many seeds a term is on, and its ranks there, in words; empty for one seed.
  rankSpread(method, term) {
    const { n_seeds, n_on, least, most } = method.ranks;
    if (!n_seeds) return "";
    const t = method.number.get(term);
    if (missing(n_on[t])) return `off in all ${n_seeds} seeds`;
    const ranks = least[t] === most[t] ? `rank ${least[t]}` : `rank ${least[t]} to ${most[t]}`;
    return `${ranks} over seeds, on in ${n_on[t]} of ${n_seeds}`;
  }

  // Of |r| with some other methods, over the pairs of seeds in which the term is on in both: the
  // median with each of them, in order, the median of those, and the least and the largest |r|.
  agreement(method, others, term) {
    const t = method.number.get(term);
    const found = others.map(other => method.agreement[other.name]).filter(a => !missing(a.median[t]));
    const agreed = found.map(a => a.median[t]).sort((a, b) => a - b);
    return {
      agreed,
      median: (agreed[(agreed.length - 1) >> 1] + agreed[agreed.length >> 1]) / 2,
      low: Math.min(...found.map(a => a.min[t])), high: Math.max(...found.map(a => a.max[t])),
    };
  }

  agreementSpread(method, other, term) {
    const a = method.agreement[other.name];
    const t = method.number.get(term);
    if (!a || missing(a.min[t]) || a.min[t] === a.max[t]) return "";
    return `|r| ${fixed(a.min[t])} to ${fixed(a.max[t])}`;
  }

  // How stable a term is in each test that was made, the hardest first.
  stabilities(method, term) {
    return Object.keys(STABILITY)
      .map(kind => {
        const at = name => method.stability[kind]?.[name][method.number.get(term)];
        return { kind, r: at("r"), low: at("r_min"), high: at("r_max") };
      })
      .filter(({ r }) => !missing(r));
  }

  // What terms can be sorted by in a method: key -> title and a number a term, the largest first.
  orders(method) {
    const label = this.firstLabel(method);
    const found = {
      relevance: { title: "relevance", value: term => method.relevance[method.number.get(term)] },
    };
    if (label !== null) {
      const split = "held_out" in method.accuracy[label] ? "held_out" : "train";
      found.auroc = {
        title: `AUROC (${SPLITS[split].title})`,
        value: term => this.score(method, term, label, split, "auroc"),
      };
    }
    const kind = Object.keys(STABILITY).find(k => k in method.stability);
    if (kind !== undefined) {
      found.stability = {
        title: `stability (${STABILITY[kind].short})`,
        value: term => method.stability[kind].r[method.number.get(term)],
      };
    }
    if (method.necessity.necessity) {
      found.necessity = {
        title: "necessity",
        value: term => method.necessity.necessity[method.number.get(term)],
      };
    }
    return found;
  }
}

// What the words on a term's badges mean.
const ACTIVE = "The cells need the term beside the others to be explained.";
const OFF = "The cells are explained without the term: other terms do what it could do, or there is nothing for it to do.";
const TESTED = "The q value is the share of false ones among all terms that are at least as clear; a term is detected up to 0.05.";
const DETECTED = `The genes of the set move together more than other genes of like expression do. ${TESTED}`;
const NOT_DETECTED = `The genes of the set do not clearly move together more than other genes of like expression do; if the term is off as well, its loadings may be noise. ${TESTED}`;

// The hardest test first.
const STABILITY = {
  donors: { short: "other donors", text: "fits to two halves of the donors" },
  halves: { short: "other cells", text: "fits to two random halves of the cells" },
  seeds: { short: "other seeds", text: "fits that differ only in their random start" },
};

const SPLITS = {
  train: { title: "on all cells", text: "fitted and scored on the same cells, as in the paper" },
  held_out: { title: "held out", text: "scored on cells (whole donors where they are known) that the regression did not see" },
  unseen: { title: "unseen", text: "scored on cells that neither the regression nor the factor model saw" },
  unseen_family: { title: "unseen, by family", text: "scored on cells that neither saw, by the term of its family that is on in the fit without them" },
};
