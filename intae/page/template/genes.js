"use strict";
// The genes of a term: a chart of the largest weights, and the whole list.

const GENE_KINDS = {
  annotated: { sign: "", title: "annotated", text: "in the gene set", color: "#1f4068", pattern: "" },
  added: { sign: "+", title: "added", text: "not in the set, added by the method", color: "#b0307a", pattern: "/" },
  removed: { sign: MINUS, title: "removed", text: "in the set, taken out by the method", color: "#8a8f98", pattern: "x" },
  outside: { sign: "·", title: "outside", text: "not in the set; has a weight, but does not count as added", color: "#8a8f98", pattern: "." },
  free: { sign: "", title: "gene", text: "this factor has no gene set", color: "#1f4068", pattern: "" },
};
const TOP_GENES = 25;
const TOO_LONG = 30; // names of genes told in a sentence

function genesSection(facts, method, term) {
  const genes = facts.genesOf(method, term);
  const counts = Object.keys(GENE_KINDS)
    .map(kind => [kind, genes.filter(gene => gene.kind === kind)])
    .filter(([, found]) => found.length);
  const weighted = genes.filter(gene => gene.weight !== 0);
  const active = method.active[method.number.get(term)];
  // a plain score has no weights of its own
  const alike = weighted.length > 1 && weighted.every(gene => gene.weight === weighted[0].weight);
  const charted = weighted.length > 0 && !alike;
  const chart = make("div", { class: "chart", id: "gene-chart", role: "group", "aria-label": "Weights of the genes, a chart; the list below has them as text" });
  const top = weighted.slice(0, TOP_GENES);
  const section = make("section", { class: "card", id: "genes" },
    make("h3", {}, "Genes"),
    make("p", { class: "small" }, !weighted.length
      ? "The method switched this term off: all its weights are zero. The genes of its set are in the list."
        + (facts.loadingsOf(method, term, 0) === null ? "" : " Its loadings are read from them all the same.")
      : alike ? `All ${whole(weighted.length)} genes count alike in this method; they are in the list.`
      : (active ? "" : "The method switched this term off; these are the weights that it was left with. ")
        + (weighted.length > TOP_GENES
          ? `The ${TOP_GENES} genes with the largest weights, of ${whole(weighted.length)}. `
          : `All ${plural(weighted.length, "gene")} with a weight. `)
        + "The weight says how far a gene's expression follows the term; right of zero it rises with the loading, left of zero it falls."),
    make("ul", { class: "legend" }, counts.map(([kind, found]) => make("li", { title: GENE_KINDS[kind].text },
      make("span", { class: `swatch swatch-${kind}` }),
      make("b", {}, `${GENE_KINDS[kind].sign} ${GENE_KINDS[kind].title}`.trim()),
      make("span", { class: "muted" }, `${whole(found.length)} ${found.length === 1 ? "gene" : "genes"}, ${GENE_KINDS[kind].text}`)))),
    charted ? chart : null,
    ["added", "removed"].map(kind => sentence(kind, genes)),
    geneList(facts, method, term, genes),
  );
  section.draw = () => charted && drawGenes(chart, top, readable(term), method.label);
  return section;
}

function sentence(kind, genes) {
  const names = genes.filter(gene => gene.kind === kind).map(gene => gene.name);
  if (!names.length) return null;
  const more = names.length > TOO_LONG ? ` and ${whole(names.length - TOO_LONG)} more in the list` : "";
  return make("p", { class: "small" }, make("b", {}, `${GENE_KINDS[kind].title}: `),
    names.slice(0, TOO_LONG).join(", ") + more);
}

function drawGenes(chart, top, title, label) {
  const of = (gene, key) => GENE_KINDS[gene.kind][key];
  const names = top.map(gene => plain(`${of(gene, "sign")} ${gene.name}`.trim()));
  const layout = {
    ...LAYOUT, height: 70 + 19 * top.length, bargap: 0.28,
    xaxis: { ...AXIS, title: { text: "weight" }, zeroline: true, zerolinecolor: "#555", zerolinewidth: 1 },
    yaxis: {
      ...AXIS, showgrid: false, autorange: "reversed", tickmode: "array", ticklabelstandoff: 4,
      tickvals: top.map((_, i) => i), ticktext: names,
    },
  };
  const trace = {
    type: "bar", orientation: "h", x: top.map(gene => gene.weight), y: top.map((_, i) => i),
    customdata: top.map(gene => [plain(gene.name), of(gene, "text")]),
    marker: {
      color: top.map(gene => of(gene, "color")),
      line: { width: 0 },
      pattern: {
        shape: top.map(gene => of(gene, "pattern")), fillmode: "replace", size: 5, solidity: 0.55,
        fgcolor: top.map(gene => of(gene, "color")), bgcolor: "#ffffff",
      },
    },
    hovertemplate: "<b>%{customdata[0]}</b><br>weight %{x:.3g}<br>%{customdata[1]}<extra></extra>",
  };
  Plotly.react(chart, [trace], layout, plotConfig(`genes ${title} ${label}`));
}

// The whole list, made when it is opened: it may have a thousand rows.
function geneList(facts, method, term, genes) {
  const header = ["gene", "weight", "in this term"];
  const rows = genes.map(gene => [gene.name, gene.weight === 0 ? "0" : String(Number(gene.weight.toPrecision(4))), gene.kind]);
  const body = make("div");
  const details = make("details", { class: "list" },
    make("summary", {}, `All ${plural(genes.length, "gene")} as a list`), body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.childElementCount) return;
    const file = `${facts.dataset}.${method.name}.${term}.genes.csv`.replace(/[^\w.+-]+/g, "_");
    body.append(
      make("p", { class: "actions" },
        actionButton("Copy names", "Copied", () => copyText(genes.map(gene => gene.name).join("\n"))),
        actionButton("Copy table", "Copied", () => copyText([header, ...rows].map(row => row.join("\t")).join("\n"))),
        actionButton("Download CSV", "Saved", () => saveText(file, toCsv([header, ...rows])))),
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Genes of the term" }, make("table", { class: "gene-table" },
        make("thead", {}, make("tr", {}, header.map((title, i) =>
          make("th", { scope: "col", class: i === 1 ? "number" : null }, title)))),
        make("tbody", {}, genes.map((gene, i) => make("tr", {},
          make("td", {}, gene.name),
          make("td", { class: "number" }, significant(gene.weight)),
          make("td", {}, make("span", { class: `swatch swatch-${gene.kind}` }), rows[i][2])))))),
    );
  });
  return details;
}
