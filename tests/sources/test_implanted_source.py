"""An implanted data set is made of another's loaded counts, terms and gene set files."""

import numpy as np
import pytest

import intae
from intae.errors import IntaeError
from intae.io import write_h5ad
from intae.sources.loading import load_dataset

SETS = {f"SET_{k}": [f"GENE{i}" for i in range(16 * k, 16 * k + 16)] for k in range(3)}


@pytest.fixture
def files(counts, tmp_path):
    counts.uns["scale"] = "counts"
    counts.obs["cell_type"] = np.resize(["B", "T", "NK"], 60)
    prepared = intae.prepare(counts, {k: v for k, v in SETS.items() if k != "SET_2"})
    write_h5ad(counts, tmp_path / "loaded.h5ad")
    write_h5ad(prepared, tmp_path / "prepared.h5ad")
    with (tmp_path / "sets.gmt").open("w", encoding="utf-8") as file:
        file.writelines(f"MY_{n}\tsaid\t" + "\t".join(g) + "\n" for n, g in SETS.items())
    return [tmp_path / name for name in ("loaded.h5ad", "prepared.h5ad", "sets.gmt")]


def entry(**changes):
    base = {"source": "implanted", "cells_of": "mine", "prefixes": ["MY_"], "labels": {}}
    return base | {"params": {"n_sets": 2, "seed": 4}} | changes


def test_only_terms_of_the_lender_get_an_activity(files, counts):
    adata = load_dataset("d", entry(), files)
    assert set(adata.uns["implanted"].index) == {"SET_0", "SET_1"}
    assert adata.uns["scale"] == "counts"
    assert (adata.X <= counts.X).all() and (adata.X < counts.X).any()
    with pytest.raises(IntaeError, match="only 2 of 3 sets could be drawn"):
        load_dataset("d", entry(params={"n_sets": 3}), files)


def test_cells_are_chosen_before_anything_is_implanted(files):
    chosen = entry(
        cells={"cell_type": ["B", "T"], "condition": "ctrl"}, labels={"cell_type": "cell_type"}
    )
    adata = load_dataset("d", chosen, files)
    assert adata.n_obs == 20 and set(adata.obs["cell_type"]) == {"B", "T"}
    np.testing.assert_array_equal(adata.obsm["true_activity"].sum(0), 10)  # halves of these
    with pytest.raises(IntaeError, match="cells: there is no column 'kind'"):
        load_dataset("d", entry(cells={"kind": "B"}), files)
    with pytest.raises(IntaeError, match=r"cells cell_type:.*leaves no cell"):
        load_dataset("d", entry(cells={"cell_type": "X"}), files)


def test_a_null_and_a_truth_go_through_the_preparation(files):
    for params in ({"n_sets": 1}, {"null_of": "sets"}, {"null_of": "depth"}):
        adata = load_dataset("d", entry(params=params), files)
        prepared = intae.prepare(adata, SETS, min_genes=5)
        assert {"true_activity"} <= set(prepared.obsm) and "implanted" in prepared.uns


def test_what_was_logged_cannot_be_thinned(files, counts):
    counts.uns["scale"] = "log"
    write_h5ad(counts, files[0])
    with pytest.raises(IntaeError, match=r"holds log values; only raw counts .* in cells_of"):
        load_dataset("d", entry(), files)
