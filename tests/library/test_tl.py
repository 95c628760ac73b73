"""Scanpy's habits: what is written into an AnnData, whatever kind it is, and what is refused."""

import logging
import subprocess
import sys
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import intae
from intae.errors import IntaeError

GENES = [f"GENE{i}" for i in range(60)]
SETS = {f"TEST_SET_{k}": GENES[15 * k : 15 * k + 15] for k in range(3)}


@pytest.fixture
def raw():
    """Counts of 200 cells; the last 15 genes are in no set. Donors have one condition each."""
    rng = np.random.default_rng(0)
    rate = np.repeat(rng.gamma(1.0, size=(200, 4)), 15, axis=1) * rng.gamma(2.0, size=60) + 0.3
    obs = pd.DataFrame(index=[f"c{i}" for i in range(200)])
    obs["donor"] = [f"d{i % 8}" for i in range(200)]
    obs["condition"] = pd.Categorical(np.where(np.arange(200) % 8 < 4, "b", "a"))
    return AnnData(rng.poisson(rate).astype(np.float32), obs, pd.DataFrame(index=GENES))


@pytest.fixture
def found(raw):
    intae.tl.terms(raw, SETS)
    return raw


def test_terms_are_written_beside_cells_that_stay_as_they_are(raw):
    before = raw.X.copy()
    model = intae.tl.terms(raw, SETS)
    assert isinstance(model, intae.Autoencoder)
    np.testing.assert_array_equal(raw.X, before)
    assert raw.shape == (200, 60)
    np.testing.assert_allclose(raw.obsm["X_intae"], model.loadings_, rtol=1e-5, atol=1e-6)
    weights = pd.DataFrame(raw.varm["intae"], raw.var_names, raw.uns["intae"]["terms"].index)
    np.testing.assert_allclose(weights.loc[model.weights_.index], model.weights_, rtol=1e-5)
    assert not weights.iloc[45:].any(axis=None) and weights.any(axis=None)
    kept = raw.uns["intae"]
    assert kept["model"] == "Autoencoder" and kept["params"]["solver"] == "exact"
    pd.testing.assert_frame_equal(kept["terms"], model.terms_)
    relevance = model.terms_.query("active")["relevance"]
    assert list(kept["top"]) == list(relevance.sort_values(ascending=False).index[:10])
    assert len(kept["top"])


@pytest.mark.parametrize(
    "model",
    [None, intae.FSCLVM(n_dense=1, max_iter=5), intae.GeneSetScore("mean"), intae.PLIER()],
    ids=lambda model: type(model).__name__,
)
def test_a_file_keeps_what_was_written(raw, model, tmp_path):
    fitted = intae.tl.terms(raw, SETS, model, key_added="sets")
    assert model is None or fitted is model
    raw.obs["other"] = [f"o{i % 6}" for i in range(200)]
    intae.tl.compare(raw, "condition", "donor", key="sets")
    raw.write_h5ad(tmp_path / "cells.h5ad")
    back = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(back.obsm["X_sets"], raw.obsm["X_sets"])
    np.testing.assert_array_equal(back.varm["sets"], raw.varm["sets"])
    pd.testing.assert_frame_equal(
        back.uns["sets"]["terms"], fitted.terms_, check_dtype=False, check_names=False
    )
    assert list(back.uns["sets"]["top"]) == list(raw.uns["sets"]["top"])
    again = intae.tl.compare(back, "condition", "donor", key="sets")
    pd.testing.assert_frame_equal(again, raw.uns["sets"]["compare"])


def test_sparse_layered_and_backed_cells_give_the_same(raw, tmp_path):
    intae.tl.terms(raw, SETS)
    expected = raw.obsm["X_intae"]

    other = AnnData(sparse.csr_matrix(raw.X), raw.obs, raw.var)
    other.write_h5ad(tmp_path / "cells.h5ad")
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    layered = AnnData(np.log1p(raw.X), raw.obs, raw.var, layers={"counts": raw.X})
    for cells, layer in ((other, None), (backed, None), (layered, "counts")):
        intae.tl.terms(cells, SETS, layer=layer)
        np.testing.assert_allclose(cells.obsm["X_intae"], expected, rtol=1e-3, atol=1e-4)
    assert backed.isbacked
    backed.file.close()


def test_the_rna_of_several_modalities_is_taken(raw):
    mudata = pytest.importorskip("mudata", reason="mudata is not installed")
    both = mudata.MuData({"rna": raw, "prot": AnnData(raw.X[:, :5], raw.obs)})
    intae.tl.terms(both, SETS)
    assert "X_intae" in both["rna"].obsm and "X_intae" not in both["prot"].obsm
    assert len(intae.tl.compare(both, "condition", "donor"))


def test_what_has_modalities_needs_one_that_is_called_rna(raw):
    like_mudata = SimpleNamespace(mod={"rna": raw})  # all that is asked of a MuData
    intae.tl.terms(like_mudata, SETS)
    assert "X_intae" in raw.obsm
    with pytest.raises(IntaeError, match="no modality 'rna'; known are gex"):
        intae.tl.terms(SimpleNamespace(mod={"gex": raw}), SETS)
    with pytest.raises(IntaeError, match="give an AnnData or a MuData, not DataFrame"):
        intae.tl.terms(pd.DataFrame(), SETS)


def test_doubled_gene_names_have_the_weights_of_the_first(raw):
    raw.var_names = [*GENES[:59], GENES[0]]
    model = intae.tl.terms(raw, SETS)
    first = model.weights_.loc[GENES[0]]
    np.testing.assert_allclose(raw.varm["intae"][0], first, rtol=1e-5)
    assert not raw.varm["intae"][59].any()


def test_options_are_those_of_prepare(raw):
    intae.tl.terms(raw, SETS, n_hvgs=30, min_genes=5)
    assert raw.uns["intae"]["prepare"]["n_hvgs"] == 30
    assert (raw.varm["intae"] != 0).any(1).sum() <= 30
    with pytest.raises(IntaeError, match=r"'n_hvg', nor has intae\.prepare; did you mean 'n_hvgs'"):
        intae.tl.terms(raw, SETS, n_hvg=30)


@pytest.mark.parametrize(
    ("model", "message"),
    [(intae.PCA, r"such as intae\.PCA\(\), not the class PCA"), ("FSCLVM", "not 'FSCLVM'")],
)
def test_what_is_no_model_is_refused(raw, model, message):
    with pytest.raises(IntaeError, match=message):
        intae.tl.terms(raw, SETS, model)


def test_compare_refuses_what_is_not_there(found):
    for arguments, message in (
        ({"groupby": "conditions"}, "groupby: there is no column 'conditions'.*'condition'"),
        ({"sample": "Donor"}, "sample: there is no column 'Donor' in obs; did you mean 'donor'"),
        ({"key": "x"}, "no terms under the key 'x'; run intae.tl.terms first; known are intae"),
        ({"terms": ["TEST_SET_9"]}, "no term 'TEST_SET_9'; did you mean 'TEST_SET_"),
        ({"terms": "TEST_SET_0"}, r"such as \['TEST_SET_0'\]"),
    ):
        with pytest.raises(IntaeError, match=message):
            intae.tl.compare(found, **{"groupby": "condition", "sample": "donor"} | arguments)


def test_compare_takes_the_active_gene_sets_unless_others_are_named(found):
    table = found.uns["intae"]["terms"]
    table.loc["TEST_SET_2", "active"] = False
    assert set(intae.tl.compare(found, "condition", "donor")["term"]) == {
        "TEST_SET_0",
        "TEST_SET_1",
    }
    assert len(intae.tl.compare(found, "condition", "donor", terms=list(SETS))) == 3
    table["active"] = False
    with pytest.raises(IntaeError, match="no gene set is active, so there is none to compare"):
        intae.tl.compare(found, "condition", "donor")


def test_compare_writes_its_table(found):
    table = intae.tl.compare(found, "condition", "donor", terms=["TEST_SET_1"])
    assert found.uns["intae"]["compare"] is table
    assert table[["cell_type", "term", "test"]].to_numpy().tolist() == [
        ["all cells", "TEST_SET_1", "Welch"]
    ]


def test_verbose_shows_how_far_a_fit_is_and_leaves_logging_as_it_was():
    code = (
        "import intae, logging\n"
        "cells = intae.simulate(60, 40, 4, n_active=3)\n"
        "with intae.verbose():\n"
        "    intae.PCA(2).fit(cells); logging.getLogger('intae.x').info('half way')\n"
        "logging.getLogger('intae.x').info('not shown')\n"
        "intae.verbose(); intae.verbose()\n"
        "logging.getLogger('intae.y').info('once')\n"
        "intae.verbose(False)\n"
        "logging.getLogger('intae.y').info('not shown')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line.split("] ")[1] for line in done.stderr.splitlines()]
    assert lines == ["half way", "once"]
    assert done.stderr.startswith("[ ") and " s] " in done.stderr


def test_verbose_terms_tell_of_the_fit(raw, caplog):
    intae.tl.terms(raw, SETS)
    assert not caplog.records
    intae.tl.terms(raw, SETS, verbose=True)
    assert any("terms active" in record.getMessage() for record in caplog.records)
    assert logging.getLogger("intae").level == logging.NOTSET
