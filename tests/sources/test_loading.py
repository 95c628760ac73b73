"""What all data sets share: labels, filters, subsets."""

import anndata
import numpy as np
import pandas as pd
import pytest

from intae.errors import IntaeError
from intae.sources.loading import load_dataset


@pytest.fixture
def own_file(counts, tmp_path):
    counts.obs["type"] = ["T", "B", "NK"] * 20
    path = tmp_path / "own.h5ad"
    counts.write_h5ad(path)
    return path


def entry(**changes):
    base = {"source": "file", "labels": {"condition": "condition", "cell_type": "type"}}
    return base | changes


def test_own_file(own_file):
    adata = load_dataset("mine", entry(filter={"type": ["T", "B"]}), [own_file])
    assert adata.n_obs == 40
    assert list(adata.obs.columns) == ["condition", "cell_type"]
    assert isinstance(adata.obs["cell_type"].dtype, pd.CategoricalDtype)


def test_the_datas_own_map_of_the_cells_is_kept(own_file):
    adata = anndata.read_h5ad(own_file)
    adata.obsm["X_umap"] = np.arange(2.0 * adata.n_obs).reshape(-1, 2)
    adata.obsm["X_pca"] = adata.obsm["X_umap"]
    adata.layers["counts"] = adata.X
    adata.write_h5ad(own_file)
    for matrix in (None, "counts"):
        chosen = {} if matrix is None else {"matrix": matrix}
        loaded = load_dataset("mine", entry(filter={"type": ["T", "B"]}, **chosen), [own_file])
        assert list(loaded.obsm) == ["X_umap"]
    wanted = adata[loaded.obs_names].obsm["X_umap"]
    np.testing.assert_array_equal(loaded.obsm["X_umap"], wanted)


def test_subset_is_drawn_by_its_seed(own_file):
    names = [
        list(load_dataset("mine", entry(subset={"n_cells": 9, "seed": s}), [own_file]).obs_names)
        for s in (1, 1, 2)
    ]
    assert len(names[0]) == 9 and names[0] == names[1] != names[2]


def test_cells_without_a_label_can_be_dropped(own_file):
    adata = anndata.read_h5ad(own_file)
    adata.obs["condition"] = [None, *adata.obs["condition"][1:]]
    adata.write_h5ad(own_file)
    with pytest.raises(IntaeError, match="'condition' has 1 missing values; say drop_unlabelled"):
        load_dataset("mine", entry(), [own_file])
    assert load_dataset("mine", entry(drop_unlabelled=True), [own_file]).n_obs == 59


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"donor": "patient"}}, "'mine', labels: donor: there is no column 'patient'"),
        ({"filter": {"type": "TT"}}, "leaves no cell; the column holds B, NK, T"),
        ({"filter": {"kind": "T"}}, "'mine', filter: there is no column 'kind'"),
    ],
)
def test_wrong_entries(own_file, change, message):
    with pytest.raises(IntaeError, match=message):
        load_dataset("mine", entry(**change), [own_file])


def test_dropping_the_unlabelled_must_leave_some_cells(own_file):
    adata = anndata.read_h5ad(own_file)
    adata.obs["condition"] = pd.Series([None] * 60, adata.obs_names, dtype="category")
    adata.write_h5ad(own_file)
    with pytest.raises(IntaeError, match=r"'mine': drop_unlabelled leaves no cell.*condition"):
        load_dataset("mine", entry(drop_unlabelled=True), [own_file])


def test_unknown_source():
    with pytest.raises(IntaeError, match="'mine': unknown source 'kang71'; did you mean 'kang17'"):
        load_dataset("mine", {"source": "kang71"}, [])


def test_a_known_pair_that_names_no_cell_is_refused_by_its_value(own_file):
    pair = {"term": "SIGNALING", "label": "cell_type", "values": ["B", "NK cells"]}
    with pytest.raises(IntaeError) as error:
        load_dataset("mine", entry(), [own_file], {"known_pairs": [pair]})
    told = "'mine', analyses: known_pairs: SIGNALING: no cell has the cell_type 'NK cells'; known"
    assert told in str(error.value)
    filtered = entry(filter={"type": ["T", "B"]})  # a value whose cells are left out is no mistake
    load_dataset("mine", filtered, [own_file], {"known_pairs": [pair | {"values": ["NK"]}]})


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        (
            {"conditions": {"ctr": "control"}},
            "conditions: no cell has the condition 'ctr'; did you mean 'ctrl'",
        ),
        ({"loadings": {"cell_types": ["NKK"]}}, "cell_types: no cell has the cell_type 'NKK'; did"),
    ],
)
def test_conditions_and_cell_types_that_no_cell_has_are_refused(own_file, analysis, message):
    with pytest.raises(IntaeError, match=message):
        load_dataset("mine", entry(), [own_file], analysis)
