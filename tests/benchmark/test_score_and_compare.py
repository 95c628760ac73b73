"""From fits on disk to the tables of a data set: scored by fit, then compared."""

import pandas as pd
import pytest

import intae
from intae.benchmark.compare import Comparison
from intae.benchmark.jobs import CALLING, FOLLOWS, PUBLISHED
from intae.benchmark.score import score
from intae.benchmark.tables import PART_COLUMNS, read_scores, write_scores
from intae.fits import read_fit, write_fit
from intae.io import write_h5ad

PAIRS = [{"term": "SIMULATED_PATHWAY_1", "label": "cell_type", "values": ["type_1"]}]
SETTINGS = CALLING | {"lambdas": PUBLISHED, "follows": FOLLOWS, "known_pairs": PAIRS}
TABLES = ("terms", "history", "corrections", "accuracy", "separation", "known_pairs", "recovery")
FITS = {
    ("exact", 0): intae.Autoencoder(threads=1),
    ("shifted", 0): intae.Autoencoder(n_dense=2, threads=1),
    ("pca", 0): intae.PCA(n_dense=4),
    ("pca", 1): intae.PCA(n_dense=3),
}
ABOUT = {
    "dataset": "d", "threads": 1, "device": "cpu", "peak_mb": 1.0, "n_cells": 200, "n_genes": 80,
    "n_terms": 8, "host": {"cpu": "x"},
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(simulated, tmp_path_factory):
    """Fits of three methods on disk, each scored."""
    folder = tmp_path_factory.mktemp("fits")
    write_h5ad(simulated, folder / "prepared.h5ad")
    paths = {"facts": [], "scores": [], "models": [], "prepared": str(folder / "prepared.h5ad")}
    for (method, seed), model in FITS.items():
        path = folder / method / f"seed{seed}/model.h5"
        write_fit(model.fit(simulated), path, ABOUT | {"method": method, "seed": seed})
        tables = score(read_fit(path, simulated.obs), paths["prepared"], TABLES, SETTINGS)
        write_scores(tables, path.with_name("scores.zip"))
        paths["models"].append(str(path))
        for kind, name in (("facts", "fit.json"), ("scores", "scores.zip")):
            paths[kind].append(str(path.with_name(name)))
    return paths


def test_scores_of_a_fit_name_it_and_repeat_to_the_byte(inputs, tmp_path):
    scores = read_scores(inputs["scores"][0])
    assert tuple(scores) == TABLES
    for name, table in scores.items():
        assert tuple(table.columns) == PART_COLUMNS[name], name
        assert set(table["method"]) == {"exact"} and set(table["dataset"]) == {"d"}, name
    write_scores(scores, tmp_path / "again.zip")
    write_scores(scores, tmp_path / "twice.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "twice.zip").read_bytes()


def test_tables_of_a_data_set(inputs, tmp_path):
    names = (*TABLES, "correlation", "correlation_seeds", "agreement", "dense_factors", "stability")
    outputs = {name: str(tmp_path / f"{name}.csv") for name in names}
    params = {
        "dataset": "d", "reference": "exact", "n_terms": 5, "halved": [], "terms": [],
        "dense": ["exact", "shifted"], "expected": [],
    }  # fmt: skip
    Comparison(inputs, params, outputs).write()
    tables = {name: pd.read_csv(path) for name, path in outputs.items()}
    assert list(dict.fromkeys(tables["accuracy"]["method"])) == ["exact", "shifted", "pca"]
    pairs = tables["correlation"][["method_a", "method_b"]].drop_duplicates()
    assert pairs.to_numpy().tolist() == [["exact", "shifted"]]  # PCA has no gene sets
    assert set(tables["stability"]["method"]) == {"pca"}  # the only one with two seeds
    assert list(tables["dense_factors"]["n_dense"]) == [0, 2]
    assert (tables["agreement"]["dataset"] == "d").all() and len(tables["agreement"]) >= 3
