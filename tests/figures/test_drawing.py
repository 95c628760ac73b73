"""Every row of the table of figures is drawn from its inputs, in one process."""

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jinja2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from matplotlib import pyplot as plt

import intae
from intae.benchmark import drawing, findings
from intae.benchmark.drawing import FIGURES, draw_all
from intae.benchmark.figure import MAIN
from intae.benchmark.inputs import Inputs
from intae.errors import IntaeError
from intae.figures.sentences import bold, write_sentences
from intae.fits import write_fit
from intae.io import write_h5ad

ROOT = Path(__file__).parents[2]
TERM = "SIMULATED_PATHWAY_1"

FACTS = {
    "dataset": "d",
    "cell_labels": ["condition", "cell_type"],
    "donors": False,
    "labels": {"ae": "Autoencoder", "fsclvm": "f-scLVM", "masked": "Masked", "pca": "PCA"},
    "roles": {"ae": "model", "fsclvm": "model", "masked": "ablation", "pca": "control"},
    "models": {"ae": "Autoencoder", "fsclvm": "FSCLVM", "masked": "x", "pca": "PCA"},
    "shown": ["ae", "fsclvm"],
    "permuted": [],
    "without_sets": ["pca"],
    "recommended": "ae",
    "controls": ["PCA"],
    "scores": [],
    "families": [["fsclvm", "ae"]],
    "folds": {3: ["Autoencoder"]},
    "folds_reconstructing": {3: ["Autoencoder"]},
    "beside_ablations": {"Autoencoder": 2, "Masked": 1},
    "terms": [TERM],
    "scatter_terms": [],
    "loadings_terms": [TERM],
    "expected": [TERM],
    "n_terms": 3,
    "conditions": None,
    "cell_types": [],
    "known_pairs": [
        {"term": TERM, "label": "cell_type", "values": ["B", "T"], "source": "a test, figure 1"}
    ],
    "lambdas": {"lambda1": 0.93},
    "scaling": {"sizes": [10, 20], "seed": 0, "budget": 600},
    "projected": True,
    "sweeps": {
        "one": {
            "entry": {"grid": {"a": [1, 2]}, "points": [{"b": 1}], "held_out": "cells", "seed": 0},
            "label": "Autoencoder", "model": "Autoencoder", "own": {"solver": "exact"},
        }
    },
    "planted": {
        "n_draws": 2, "seeds": [0, 1], "sizes": {"n_cells": 60}, "annotations_of": None,
        "cells_of": "d", "cells": {"condition": "ctrl", "cell_type": ["B", "T"]},
        "prepared_of": "d", "null_of": "depth", "has_null": True,
    },
    "follows": 0.2,
    "share": 0.25,
    "fdr": 0.05,
    "draw_of": {"d_1": "d", "d_2": "d"},
    "findings": "findings.rst",
}  # fmt: skip


def rows(columns, *values, **same):
    return pd.DataFrame(values, columns=columns.split()).assign(**same)


def result_of(point, kind, a):
    return {"kind": kind, "point": point, "a": a, "n_cells": 75, "n_held_out": 25, "n_active": 3}


TABLES = {
    "runtime": rows(
        "dataset method seconds peak_mb", ("d_1", "ae", 2.0, 50.0), ("d_2", "ae", 4.0, 60.0),
        ("d_1", "masked", 9.0, 99.0), seed=0, projected=False, n_cells=60, n_genes=40,
    ),
    "scaling": rows(
        "n_cells seconds peak_mb projected", (10, 1.0, 50.0, False), (20, 2.0, 60.0, True),
        dataset="d", method="ae", n_genes=40, threads=1, cpu="a processor", device="cpu",
    ),
    "scaling_slopes": rows(
        "measure slope", ("seconds", 1.0), ("peak_mb", 0.1),
        method="ae", standard_error=np.nan, n_sizes=2,
    ),
    "accuracy": rows(
        "method term split accuracy", ("ae", TERM, "train", 0.9), ("ae", TERM, "held_out", 0.8),
        ("pca", "dense_1", "train", 0.95), seed=0, balanced_accuracy=0.8, auroc=0.9,
    ),
    "separation": rows(
        "label value auroc", ("condition", "ctrl", 0.7), ("condition", "stim", 0.3),
        method="ae", seed=0, term=TERM, n_cells=30,
    ),
    "known_pairs": rows(
        "method active auroc rank", ("ae", True, 0.9, 1), ("fsclvm", False, 0.5, 3), seed=0,
        term=TERM, label="cell_type", value="B", n_cells=30, kept=True, n_terms=4,
    ),
    "choice": rows(
        "fold accuracy", (1, 0.6), (2, 0.7), method="ae", balanced_accuracy=0.5, auroc=0.5
    ),
    "dense_factors": rows(
        "method term accuracy unannotated_accuracy", ("ae", TERM, 0.9, np.nan), seed=0
    ),
    "terms": rows(
        "method relevance rank genes_added", ("ae", 2.0, 1, "G1 G2"), ("fsclvm", 1.0, 1, ""),
        term=TERM, seed=0, kind="annotated", active=True, n_genes=12, genes_removed="",
    ),
    "corrections": rows(
        "method gene", ("ae", "G1"), ("ae", "G2"), seed=0, term=TERM, change="added", weight=1.0
    ),
    "correlation": rows(
        "method_a method_b r", ("ae", "fsclvm", -0.9), ("fsclvm", "pca", 0.1),
        term=TERM, relevance_rank=1,
    ),
    "correlation_seeds": rows(
        "method_a method_b seed_a r", ("ae", "fsclvm", 0, -0.9), ("ae", "fsclvm", 1, 0.5),
        term=TERM, seed_b=0,
    ),
    "agreement": rows(
        "method_a method_b", ("ae", "fsclvm"), seed_a=0, seed_b=0, matched="term", n_terms=3,
        median_r=0.5, jaccard=0.5, n_top=3, shared_top=2, median_r_top=0.6,
    ),
    "stability": rows(
        "term r", ("(median |r|)", 0.4), ("(mean |r|)", 0.5), ("(number of pairs)", 1),
        ("(Jaccard index of active terms)", 0.7), ("(shared of the 10 most relevant)", 6),
        method="ae", kind="seeds", r_min=0.1, r_max=0.9,
    ),
    "reconstruction": rows(
        "split variance_explained", ("train", 0.5), ("unseen", 0.4),
        method="ae", fold=1, n_terms_active=3,
    ),
    "objective": rows(
        "method best_F gap penalty objective own", ("ae", 28.0, 2.0, 50.0, 80.0, True),
        ("(exact)", 44.0, 0.0, 8.0, 52.0, True), seed=0, n_active=2,
    ),
    "best_encoder": rows("term relevance r", (TERM, 1.0, 0.9), method="ae", seed=0),
    "necessity": rows(
        "term stand_ins", (TERM, np.nan), method="ae", seed=0, relevance=1.0, necessity=0.5,
        share=0.01, carried=1.0, irreplaceable=0.5, stand_in_r=np.nan, stand_in_holds=np.nan,
    ),
    "ablation": rows("method value", ("ae", 0.2), ("masked", 0.9), seed=0, metric="a score"),
    "sweep": pd.DataFrame(
        [result_of("default", "default", 1), result_of("a 1", "grid", 1),
         result_of("a 2", "grid", 2)]
    ).assign(
        dataset="d", sweep="one", genes_added=2, median_r=0.9, jaccard=0.5, best_term=TERM,
        variance_explained_held_out=0.3, best_accuracy_held_out=0.8,
    ),
    "recovery": rows(
        "method value", ("ae", 0.4), dataset="d_1", seed=0,
        metric="average precision of active terms",
    ),
    "implanted": rows(
        "dataset method metric value", ("d_1", "ae", "top1", 1.0), ("d_1", "ae", "r", 0.4),
        ("d_2", "ae", "r", 0.5), ("d_1", "(oracle)", "r", 0.6), ("d_1", "ae", "followed", 0.0),
        ("d_1", "ae", "unrelated", 9.0), ("d_1", "ae", "called followed", 0.0), term=TERM, seed=0,
    ),
    "implanted_calls": rows(
        "dataset method false_discovery_rate", ("d", "ae", 0.1), ("another", "ae", 0.9),
        fdr_min=0.1, fdr_max=0.2,
    ),
    "corrupted": rows(
        "metric value", ("active", 1.0), ("all genes", 0.7), ("mask", 0.6), ("inside", 0.9),
        ("all genes by chance", 0.1), dataset="d_1", method="ae", seed=0, term=TERM,
    ),
    "recovery_curves": rows(
        "n_ranked recall precision", (1, 0.5, 1.0), (3, 1.0, 0.6),
        dataset="d_1", method="ae", seed=0, what="terms", chance=0.2,
    ),
    "false_positives": rows(
        "outcome n of", ("true", 1, 2), ("false, overlaps a true one", 1, 3),
        ("false, overlaps none", 0, 1), dataset="d_1", method="ae", seed=0,
    ).merge(
        pd.DataFrame({"rule": ["switched on", "top ranked", "differs between conditions"]}),
        how="cross",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Inputs:
    """A file for each table, prepared data, and two methods' fits."""
    folder = tmp_path_factory.mktemp("inputs")
    prepared = intae.simulate(n_cells=60, n_genes=40, n_terms=4, n_active=3, seed=0)
    prepared.obs["condition"] = np.resize(["ctrl", "stim", "stim"], 60)
    prepared.obs["cell_type"] = np.repeat(["T", "B"], 30)
    write_h5ad(prepared, folder / "prepared.h5ad")
    fits = {"ae": [], "fsclvm": []}
    for method, seed in (("ae", 0), ("ae", 1), ("fsclvm", 0)):
        model = intae.FSCLVM(max_iter=3, seed=seed)
        path = folder / method / f"seed{seed}" / "model.h5"
        write_fit(model.fit(prepared), path, {"dataset": "d", "method": method, "seed": seed})
        fits[method].append(path)
    paths = {}
    for name, table in TABLES.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        paths[name] = [folder / f"{name}.csv"]
    return Inputs(paths, folder / "prepared.h5ad", fits)


@pytest.fixture
def backend() -> Iterator[None]:
    before = mpl.get_backend()
    yield
    plt.switch_backend(before)


@pytest.mark.parametrize("name", FIGURES)
def test_each_row_is_drawn_and_says_what_it_reads(name, inputs, tmp_path, backend):
    row = FIGURES[name]
    asked = [*row.tables, *(row.needs & set(TABLES))]
    own = Inputs(
        {table: inputs.tables[table] for table in asked},
        inputs.prepared_path if "prepared" in row.needs else None,
        inputs.fit_paths if row.needs & {"fits", "first_fits"} else {},
    )
    parts = row.parts(FACTS)
    stems = [row.stem(part) for part in parts]
    paths = [[tmp_path / f"{stem}.png", tmp_path / f"{stem}.pdf"] for stem in stems]
    before = plt.get_fignums()
    found = draw_all([(name, part) for part in parts], own, FACTS, paths)
    assert all(path.stat().st_size > 1000 for pair in paths for path in pair)
    assert plt.get_fignums() == before  # each is closed
    assert bool(found[stems[0]]) == (hasattr(findings, f"_{name}"))
    assert findings.NOTHING not in found.values()
    drawn = row.draw(own, FACTS | ({row.per: parts[0]} if parts[0] else {}))
    assert drawn.axes and not any("Nothing to draw" in t.get_text() for t in drawn.texts)
    plt.close(drawn)


def test_cost_leaves_out_draws_beside_other_data(inputs, tmp_path):
    one = TABLES["runtime"]
    both = pd.concat([one, one.assign(dataset="real")])
    for table, titles in ((one, ["d"]), (both, ["real"])):
        table.to_csv(tmp_path / "runtime.csv", index=False)
        drawn = FIGURES["cost"].draw(Inputs({"runtime": [tmp_path / "runtime.csv"]}), FACTS)
        assert [a.get_title(loc="left").split(":")[0] for a in drawn.axes[::2]] == titles
        plt.close(drawn)


def test_the_finding_of_cost_needs_no_model(tmp_path):
    TABLES["runtime"].head(1).assign(method="pca").to_csv(tmp_path / "runtime.csv", index=False)
    inputs = Inputs({"runtime": [tmp_path / "runtime.csv"]})
    assert "PCA takes" in findings.finding_of("cost", inputs, FACTS | {"recommended": "pca"})


def test_the_finding_of_agreement_names_methods_of_the_figure(tmp_path):
    labels = {
        "autoencoder_exact": "exact",
        "autoencoder_proximal": "proximal",
        "fsclvm": "f",
        "plier": "P",
    }
    models, first = ["Autoencoder", "Autoencoder", "FSCLVM", "PLIER"], "autoencoder_exact"
    facts = {
        "labels": labels, "roles": dict.fromkeys(labels, "model"), "recommended": first,
        "models": dict(zip(labels, models, strict=True)),
    }  # fmt: skip
    table = rows(
        "method_b median_r", ("autoencoder_proximal", 0.01), ("fsclvm", 0.3), ("plier", 0.5),
        method_a=first,
    )  # fmt: skip
    table.to_csv(tmp_path / "agreement.csv", index=False)
    said = findings.finding_of(
        "agreement", Inputs({"agreement": [tmp_path / "agreement.csv"]}), facts
    )
    assert said == "exact agrees most with P (median |r| 0.50) and least with f (0.30)."


def test_tables_and_fits_are_read_once(inputs, monkeypatch):
    read = []
    monkeypatch.setattr("intae.benchmark.tables.read_tables", lambda paths: read.append(paths))
    monkeypatch.setattr(
        "intae.fits.read_finished_fits", lambda paths, obs: read.extend(paths) or [len(obs)]
    )
    fresh = Inputs(inputs.tables, inputs.prepared_path, inputs.fit_paths)
    for _ in range(2):
        fresh.table("terms")
        assert fresh.fits(["ae"], first=True) == {"ae": [60]}
        assert fresh.fits(["ae", "fsclvm"]) == {"ae": [60, 60], "fsclvm": [60]}
    assert read == [inputs.tables["terms"], *inputs.fit_paths["ae"], *inputs.fit_paths["fsclvm"]]


def test_names_of_files_and_labels():
    sweep = FIGURES["sweep"]
    assert [sweep.stem(part) for part in sweep.parts(FACTS)] == ["sweep_one"]
    assert sweep.label(FACTS, "one") == "sensitivity: one"
    assert FIGURES["terms"].parts(FACTS) == [""] and FIGURES["terms"].stem() == "terms"


def test_the_main_figures_come_in_their_order_and_each_has_a_finding():
    main = [row for row in FIGURES.values() if row.category == MAIN]
    assert [row.title for row in main] == sorted(row.title for row in main)
    assert [row.name for row in main][:4] == ["best_term", "terms", "necessity", "stability"]
    assert len(main) <= 10 and all(hasattr(findings, f"_{row.name}") for row in main)


@pytest.mark.parametrize("error", [IntaeError, KeyError])
def test_an_error_names_the_figure(error, inputs, tmp_path, monkeypatch, backend):
    def fail(*_):
        raise error("what is wrong")

    monkeypatch.setattr("intae.figures.sweep.plot_sweep", fail)
    with pytest.raises(error) as caught:
        draw_all([("sweep", "one")], inputs, FACTS, [[tmp_path / "x.png"]])
    said = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    assert any("sweep_one" in text for text in said)
    assert not list(tmp_path.iterdir())


def test_a_figure_whose_row_forgets_the_prepared_data_says_so(inputs):
    with pytest.raises(IntaeError, match="needs="):
        drawing.accuracy(Inputs(inputs.tables), FACTS)


def rendered(name: str, findings_path: Path) -> str:
    text = (ROOT / FIGURES[name].caption).read_text(encoding="utf-8")
    assert "wildcards" not in text and "snakemake.config" not in text
    template = jinja2.Template(text, trim_blocks=True, undefined=jinja2.StrictUndefined)
    facts = FACTS | {"findings": str(findings_path)}
    return template.render(snakemake=SimpleNamespace(params=SimpleNamespace(facts=facts)))


@pytest.mark.parametrize("name", FIGURES)
def test_captions_need_only_the_facts_and_are_short(name, tmp_path):
    """Docutils reads them without a warning, the finding stands first, the rest is folded."""
    sentence = "A finding, with_one_ *star* and |r|."
    write_sentences({name: bold(sentence)}, tmp_path / "findings.rst")
    caption = rendered(name, tmp_path / "findings.rst")
    strict = {"halt_level": 2, "report_level": 2}
    page = publish_parts(caption, writer_name="html", settings_overrides=strict)["body"]
    text = html.unescape(re.sub(r"<[^>]+>", "", page.partition("<details>")[0]))
    assert ("<strong>" in page) and ("{" not in caption)
    assert (sentence in text) == hasattr(findings, f"_{name}")
    assert 20 < len(text.split()) < 110
    assert len(caption.split()) < 320
    if FIGURES[name].by_dataset:
        assert "(d" in text


def test_figures_choose_no_backend_and_the_table_needs_no_libraries():
    modules = [path.stem for path in (ROOT / "intae/figures").glob("[a-z]*.py")]
    code = (
        "import sys, intae.benchmark.drawing\n"
        "assert not {'matplotlib', 'numpy', 'pandas', 'anndata'} & set(sys.modules)\n"
        "import matplotlib; matplotlib.use('svg')\n"
        f"import {', '.join(f'intae.figures.{module}' for module in modules)}\n"
        "assert matplotlib.get_backend() == 'svg'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
