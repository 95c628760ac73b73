"use strict";
// The loadings of a term by a label of the cells: boxes of all cells, dots of a sample.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const AXIS = { gridcolor: "#e9ebee", zeroline: false, fixedrange: true, automargin: true, ticks: "", exponentformat: "power" };
const LAYOUT = {
  font: { family: FONT, size: 12, color: "#24292f" }, margin: { l: 10, r: 34, t: 6, b: 44 },
  paper_bgcolor: "#fff", plot_bgcolor: "#fff", showlegend: false,
  hoverlabel: { bgcolor: "#fff", bordercolor: "#c6ccd3", font: { family: FONT, size: 12, color: "#24292f" }, align: "left" },
};

function plotConfig(name) {
  return {
    responsive: true, displaylogo: false, modeBarButtons: [["toImage"]],
    toImageButtonOptions: { format: "svg", filename: name.replace(/[^\w+-]+/g, "_") },
  };
}

const viewTitle = view => readable(view.label);

// The view of a label, split by the other label or not; the first where there is none.
function viewNumber(facts, by, split) {
  const find = wanted => facts.views.findIndex(v => v.label === by && Boolean(v.split) === wanted);
  for (const i of [find(split), find(!split)]) if (i >= 0) return i;
  return 0;
}

function loadingsSection(facts, method, term, state, change) {
  const number = viewNumber(facts, state.by, state.split);
  const view = facts.views[number];
  const labels = [...new Set(facts.views.map(v => v.label))];
  const canSplit = facts.views.some(v => v.label === view.label && v.split);
  const groups = facts.loadingsOf(method, term, number);
  const chart = make("div", { class: "chart", id: "loading-chart", role: "group", "aria-label": `Loadings by ${readable(view.label)}, a chart` });
  const choice = make("div", { class: "choices" },
    labels.length > 1 ? make("span", { class: "muted" }, "by") : null,
    labels.length > 1 ? make("span", { class: "segmented", role: "radiogroup", "aria-label": "Label of the cells" },
      labels.map(label => {
        const input = make("input", { type: "radio", name: "by", value: label, onchange: () => change({ by: label }) });
        input.checked = label === view.label;
        return make("label", {}, input, make("span", {}, readable(label)));
      })) : null,
    canSplit ? make("label", { class: "check" }, (() => {
      const input = make("input", { type: "checkbox", id: "split", onchange: event => change({ split: event.target.checked }) });
      input.checked = Boolean(view.split);
      return input;
    })(), "each by condition") : null,
  );
  const active = method.active[method.number.get(term)];
  const doubtful = !active && facts.detected(method, term)?.is === false;
  const values = view.split ? [...new Map(view.groups.map((g, i) => [g[1], view.colors[i]]))] : [];
  const section = make("section", { class: "card", id: "loadings" },
    make("h3", {}, "Loadings of the cells"),
    groups === null ? null : choice,
    groups === null
      ? make("p", { class: "small" }, "The method switched this term off: its loading is the same in every cell.")
      : make("p", { class: "small" },
        (active ? "" : "The method switched this term off, as the cells are explained without it; it reads the genes of the set all the same. ")
        + (doubtful ? "The set is not detected either, so this may be noise. " : "")
        + "How strongly the term is at work in a cell, in the method's own unit. Box: the middle half of all cells of a group, line: its median, whiskers: 5% to 95%. "
        + (facts.n_shown < facts.n_cells ? `Dots: ${whole(facts.n_shown)} of ${plural(facts.n_cells, "cell")}, drawn at random.` : "Dots: the cells.")
        + (view.n_left_out ? ` The ${whole(view.n_left_out)} smallest groups are left out.` : "")),
    groups !== null && values.length ? make("ul", { class: "legend" }, values.map(([name, color]) => make("li", {},
      make("span", { class: "swatch", style: `background: ${color}` }), name))) : null,
    groups === null ? null : chart,
  );
  section.draw = () => groups !== null && drawLoadings(chart, facts, view, groups, readable(term), method.label);
  return section;
}

// Names in lines of a length that leaves room for the chart.
function broken(name, width = 22) {
  const lines = [""];
  for (const word of readable(name).split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map(plain).join("<br>");
}

function drawLoadings(chart, facts, view, groups, title, label) {
  const rows = [...new Set(groups.map(group => group.names[0]))];
  const parts = view.split ? [...new Set(groups.map(group => group.names[1]))] : [null];
  const slot = 0.84 / parts.length;
  const place = group => rows.indexOf(group.names[0])
    + (view.split ? slot * (parts.indexOf(group.names[1]) - (parts.length - 1) / 2) : 0);
  const dots = groups.map(group => ({
    type: "scatter", mode: "markers", hoverinfo: "skip", x: group.cells,
    // spread within the slot; the golden ratio fills it evenly, the same way each time
    y: group.cells.map((_, i) => place(group) + slot * 0.8 * ((i * 0.6180339887) % 1 - 0.5)),
    marker: { size: 4, color: group.color, opacity: 0.55 },
  }));
  const [low, first, median, third, high] = facts.quantiles.map((_, q) => groups.map(g => g.quantiles[q]));
  const boxes = {
    type: "box", orientation: "h", y: groups.map(place), width: slot * 0.62, hoverinfo: "skip",
    lowerfence: low, q1: first, median, q3: third, upperfence: high,
    line: { color: "#24292f", width: 1.4 }, fillcolor: "rgba(255,255,255,0.6)",
  };
  const hover = {
    type: "scatter", mode: "markers", x: median, y: groups.map(place),
    marker: { size: 16, color: "rgba(0,0,0,0)" },
    customdata: groups.map(g => [plain(g.names.map(readable).join(", ")), whole(g.size), ...g.quantiles.map(significant)]),
    hovertemplate: "<b>%{customdata[0]}</b>, %{customdata[1]} cells<br>median %{customdata[4]}<br>"
      + "middle half %{customdata[3]} to %{customdata[5]}<br>5% to 95%: %{customdata[2]} to %{customdata[6]}<extra></extra>",
  };
  const size = row => groups.filter(g => g.names[0] === row).reduce((n, g) => n + g.size, 0);
  const layout = {
    ...LAYOUT, height: 70 + Math.max(rows.length < 5 ? 60 : 40, 26 * parts.length) * rows.length,
    xaxis: { ...AXIS, title: { text: "loading" }, zeroline: true, zerolinecolor: "#c6ccd3" },
    yaxis: {
      ...AXIS, range: [rows.length - 0.5, -0.5], showgrid: false, tickmode: "array", ticklabelstandoff: 4,
      tickvals: rows.map((_, i) => i),
      ticktext: rows.map(row => `${broken(row)}<br><span style="color:#6b7280;font-size:10px">${plural(size(row), "cell")}</span>`),
    },
  };
  Plotly.react(chart, [...dots, boxes, hover], layout, plotConfig(`loadings ${title} ${label}`));
}

// The cells on a map, like beside like, coloured by the term.
function mapSection(facts, method, term) {
  const values = facts.map === null ? null : facts.sampleOf(method, term);
  if (values === null) return null;
  const chart = make("div", { class: "chart", id: "map-chart", role: "group", "aria-label": `Map of the cells, coloured by the loadings of ${readable(term)}` });
  const section = make("section", { class: "card", id: "map" },
    make("h3", {}, "Where it is at work"),
    make("p", { class: "small" }, `${facts.map.own ? "The data's own UMAP" : "A UMAP of the cells, computed by scanpy"}: like cells lie beside each other. Each dot is a cell; the brighter, the larger its loading.`),
    chart);
  section.draw = () => {
    const [x, y] = facts.places();
    const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
    const pick = array => order.map(i => array[i]);
    const sorted = pick(values);
    const at = share => sorted[Math.round(share * (sorted.length - 1))];
    const hidden = { visible: false, fixedrange: true };
    Plotly.react(chart, [{
      type: "scatter", mode: "markers", x: pick(x), y: pick(y), hoverinfo: "skip",
      marker: { size: 4.5, color: sorted, colorscale: "Viridis", cmin: at(0.01), cmax: at(0.99),
        colorbar: { thickness: 10, outlinewidth: 0, title: { text: "loading", side: "right" }, exponentformat: "power" } },
    }], { ...LAYOUT, height: 320, margin: { l: 4, r: 4, t: 4, b: 4 }, xaxis: hidden, yaxis: hidden },
    plotConfig(`map ${readable(term)} ${method.label}`));
  };
  return section;
}
