"""Plain scores of gene sets, against scanpy and decoupler as anybody would call them."""

import itertools
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

import intae
from intae.controls import SCORES, aucell
from intae.errors import IntaeError
from intae.fits import Fit
from intae.metrics.truth import recovery
from intae.prepared import get_annotations

# ucell where its package is, of the extra intae[peers]
UCELL = pytest.param(
    "ucell", marks=pytest.mark.skipif(find_spec("pyucell") is None, reason="needs pyucell")
)
INSTALLED = [UCELL if method == "ucell" else method for method in SCORES]


def members(adata):
    """Name of each term -> its genes."""
    annotations = get_annotations(adata)
    return {t: adata.var_names[annotations[:, k] > 0] for k, t in enumerate(adata.uns["terms"])}


@pytest.mark.parametrize("n_genes", [80, 1400])  # bins of more than 50 genes: drawn by the seed
def test_score_genes_is_scanpys(n_genes):
    data = intae.simulate(n_cells=60, n_genes=n_genes, n_terms=8, n_active=3, seed=1)
    data.X = data.X.astype(np.float64)  # scanpy takes means in the type of X
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1]  # noqa: NPY002
    scores = intae.GeneSetScore(seed=3).fit(data).loadings_
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    for term, genes in members(data).items():
        sc.tl.score_genes(data, genes, random_state=3)
        np.testing.assert_allclose(scores[term], data.obs["score"], atol=1e-12)
    other = intae.GeneSetScore(seed=4).fit(data).loadings_
    assert (np.abs(other - scores).to_numpy().max() > 1e-6) == (n_genes == 1400)


@pytest.mark.parametrize("method", ["ulm", "aucell"])
def test_decouplers_scores_are_decouplers(simulated, method):
    import decoupler

    rows = [(term, gene, 1.0) for term, genes in members(simulated).items() for gene in genes]
    net = pd.DataFrame(rows, columns=["source", "target", "weight"])
    data = simulated.copy()
    getattr(decoupler.mt, method)(data, net, tmin=0)
    expected = data.obsm[f"score_{method}"][list(data.uns["terms"])]
    scores = intae.GeneSetScore(method, threads=1).fit(simulated).loadings_
    np.testing.assert_allclose(scores, expected, atol=1e-8)


def test_ulm_is_the_t_value_of_a_slope(simulated):
    from scipy.stats import linregress

    scores = intae.GeneSetScore("ulm").fit(simulated).loadings_
    annotations = get_annotations(simulated)
    for cell, k in [(0, 0), (17, 3), (80, 7)]:
        line = linregress(annotations[:, k], simulated.X[cell].astype(float))
        assert scores.iloc[cell, k] == pytest.approx(line.slope / line.stderr)


@pytest.fixture
def tied():
    """Data where most values are zero, and genes tie among the top 5% of a cell."""
    data = intae.simulate(n_cells=40, n_genes=120, n_terms=8, n_active=3, seed=2)
    data.X = np.maximum(0, np.round(data.X - 5, 1)).astype(np.float32)
    assert ((data.X > 0).sum(1) < 6).mean() > 0.1
    return data


@pytest.mark.parametrize("method", INSTALLED)
def test_no_score_depends_on_the_order_of_the_genes(tied, method):
    order = np.random.default_rng(0).permutation(tied.n_vars)
    scores = intae.GeneSetScore(method).fit(tied).loadings_
    shuffled = intae.GeneSetScore(method).fit(tied[:, order].copy()).loadings_
    np.testing.assert_allclose(shuffled, scores, atol=1e-9)


def test_the_mean_is_of_genes_at_unit_variance(simulated):
    data = simulated.copy()
    data.X[:, 5] = 1.7  # does not vary, and must not blow up
    genes = pd.DataFrame(data.X.astype(float), data.obs_names, data.var_names)
    unit = ((genes - genes.mean()) / genes.std(ddof=0)).drop(columns=data.var_names[5])
    scores = intae.GeneSetScore("mean").fit(data).loadings_
    for term, own in members(data).items():
        expected = unit[[g for g in own if g in unit]].sum(axis=1) / len(own)
        np.testing.assert_allclose(scores[term], expected, atol=1e-6)


def test_aucell_is_the_mean_over_all_orders_of_equal_genes():
    import decoupler

    values = np.array([[3.0, 1.0, 1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]])
    genes = np.array(list("abcdef"))
    known = np.array([[1, 0], [0, 1], [1, 1], [1, 1], [0, 1], [1, 0]])
    # as 80 genes, so that the top 5% are 4
    values = np.hstack([values, np.full((2, 74), -1.0)])
    genes = np.append(genes, [f"z{i}" for i in range(74)])
    known = np.vstack([known, np.zeros((74, 2), int)])
    gene, term = np.nonzero(known)
    net = pd.DataFrame({"source": np.array(["A", "B"])[term], "target": genes[gene], "weight": 1.0})
    every = []
    # of a, b, c and of d, e, f: only among these are genes equal in a cell
    firsts, lasts = (list(itertools.permutations(range(i, i + 3))) for i in (0, 3))
    for first, last in itertools.product(firsts, lasts):
        order = [*first, *last, *range(6, 80)]
        data = pd.DataFrame(values[:, order], columns=genes[order])
        found, _ = decoupler.mt.aucell(data, net, tmin=0, empty=False)
        every.append(found[["A", "B"]].to_numpy())
    assert np.ptp(every, axis=0).max() > 0.1
    np.testing.assert_allclose(aucell(values, known), np.mean(every, axis=0), atol=1e-12)


@pytest.mark.parametrize("method", INSTALLED)
def test_nothing_is_learned(simulated, method):
    model = intae.GeneSetScore(method).fit(simulated)
    np.testing.assert_array_equal(model.weights_, get_annotations(simulated))
    assert model.terms_["active"].all()
    assert (model.terms_[["genes_added", "genes_removed"]] == "").all(axis=None)
    np.testing.assert_allclose(model.terms_["relevance"], model.loadings_.std(ddof=0))
    assert (model.n_iter_, model.converged_, len(model.history_)) == (1, True, 1)
    if method != "score_genes":
        assert not model.control_.any()


@pytest.mark.parametrize("method", INSTALLED)
def test_sparse_and_backed_data_give_the_same(simulated, method, tmp_path):
    import anndata

    dense = intae.GeneSetScore(method).fit(simulated)
    kept = simulated.copy()
    kept.X = sparse.csr_matrix(kept.X)
    np.testing.assert_array_equal(intae.GeneSetScore(method).fit(kept).loadings_, dense.loadings_)
    for data, name in ((simulated, "dense"), (kept, "sparse")):
        data.write_h5ad(tmp_path / f"{name}.h5ad")
        backed = anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r")
        model = intae.GeneSetScore(method).fit(backed)
        np.testing.assert_array_equal(model.loadings_, dense.loadings_)
        backed.file.close()


@pytest.mark.parametrize("method", INSTALLED)
def test_a_new_cell_is_scored_as_it_was_among_others(simulated, method, tmp_path):
    model = intae.GeneSetScore(method, seed=2).fit(simulated)
    model.save(tmp_path / "model.h5")
    loaded = intae.GeneSetScore.load(tmp_path / "model.h5")
    assert loaded.get_params() == model.get_params()
    few = simulated[5:8, ::-1].copy()  # genes in another order
    few.X[:, 3] = 0  # a gene that none of these cells expresses
    many = simulated[:, ::-1].copy()
    many.X[:, 3] = 0
    np.testing.assert_allclose(loaded.transform(few), model.transform(many)[5:8], atol=1e-9)
    np.testing.assert_allclose(loaded.transform(simulated), model.loadings_, atol=1e-9)
    with pytest.raises(IntaeError, match="2 of the model's 80 genes are not in the data"):
        model.transform(simulated[:, 2:].copy())


@pytest.mark.parametrize("method", INSTALLED)
@pytest.mark.parametrize("n_genes", [4, 30])
def test_sets_of_all_genes_and_flat_cells_give_numbers(method, n_genes):
    data = intae.simulate(n_cells=20, n_genes=n_genes, n_terms=4, n_active=3, n_dense=0, seed=0)
    data.varm["annotations"][:, 1] = 1
    data.X[3] = 0
    model = intae.GeneSetScore(method).fit(data)
    assert np.isfinite(model.loadings_).all(axis=None)
    if method == "ulm":
        assert (model.loadings_.iloc[3] == 0).all() and (model.loadings_.iloc[:, 1] == 0).all()
    if method == "score_genes":
        np.testing.assert_allclose(model.loadings_.iloc[:, 1], data.X.mean(1), rtol=1e-5)


def test_an_unknown_method_is_refused(simulated):
    with pytest.raises(
        IntaeError, match="must be one of score_genes, ulm, aucell, mean, ucell, not 'umm'"
    ):
        intae.GeneSetScore("umm").fit(simulated)


def test_missing_decoupler_is_told_of(simulated, monkeypatch):
    monkeypatch.setitem(sys.modules, "decoupler", None)
    with pytest.raises(ImportError, match=r"install decoupler>=2\.2 \(the extra intae\[scores\]"):
        intae.GeneSetScore("ulm").fit(simulated)
    for method in ("score_genes", "aucell", "mean"):  # need none
        intae.GeneSetScore(method).fit(simulated)


@pytest.mark.parametrize("method", INSTALLED)
def test_scores_are_held_against_a_planted_truth(simulated, method):
    fit = Fit.of(intae.GeneSetScore(method).fit(simulated), {"method": method}, simulated.obs)
    table = recovery(fit, simulated).set_index("metric")["value"]
    assert 0 < table["average precision of active terms"] <= 1
    assert table["loadings |r|"] > 0
