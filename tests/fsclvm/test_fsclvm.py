"""FSCLVM: the same posterior as the slalom package run live, and what goes beyond it."""

import time
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from conftest import mirror_file
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

import intae
from intae.errors import IntaeError
from intae.fsclvm.engine import Layout
from intae.fsclvm.model import warn_of_changed
from intae.fsclvm.starts import _coefficients as coefficients
from intae.fsclvm.starts import annotation_starts, slalom_start
from intae.fsclvm.updates import elbo, settle, sweep
from intae.prepared import ContractError

pytestmark = pytest.mark.filterwarnings("ignore:term .* genes were added")


@pytest.fixture(scope="module")
def adata():
    return intae.simulate(400, 80, 8, n_active=4, n_dense=1, seed=1)


@pytest.fixture(scope="module")
def fitted(adata):
    return intae.FSCLVM(n_dense=1).fit(adata)


def relative(ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def assert_same_posterior(exact, reference, tolerance=1e-8):
    for name in ("loadings_", "weights_", "membership_", "alpha_", "eps_"):
        assert relative(getattr(exact, name), getattr(reference, name)) < tolerance, name
    pd.testing.assert_series_equal(exact.terms_["active"], reference.terms_["active"])
    assert list(exact.terms_["genes_added"]) == list(reference.terms_["genes_added"])


def test_slaloms_component_comes_from_second_moments_alone():
    """scikit-learn's own, of the cells, with the same draws; also of genes that hardly vary."""
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(700, 5)) @ rng.normal(size=(5, 60)) + rng.normal(size=(700, 60))
    Y[:, 3], Y[:, 4] = Y[:, 2], 1e-9 * Y[:, 4]
    Y -= Y.mean(0)
    for genes in (slice(None), slice(0, 8), slice(2, 4)):
        part = Y[:, genes]
        draws = [np.random.RandomState(9) for _ in range(2)]
        how = {"iterated_power": 2, "svd_solver": "randomized", "random_state": draws[0]}
        wanted = PCA(n_components=1, **how).fit_transform(part)[:, 0]
        found = part @ coefficients(part.T @ part, len(part), draws[1])
        np.testing.assert_allclose(found, wanted / wanted.std(), rtol=1e-9, atol=1e-9)
        assert draws[0].rand() == draws[1].rand()
    assert not coefficients(np.zeros((7, 7)), 700, np.random.RandomState(0)).any()


def test_slaloms_start_reads_cells_no_more_often_than_it_must():
    cells = intae.simulate(600, 80, 8, n_active=4, seed=1)
    read = []

    class Counted(np.ndarray):
        def __getitem__(self, at):
            read.append(at)
            return np.asarray(self)[at]

    given = np.asarray(cells.varm["annotations"], dtype=float), np.empty((600, 0))
    layout = Layout(0, 0, 0, given[0].shape[1])
    start = slalom_start(np.asarray(cells.X).view(Counted), *given, layout, 0)
    assert start.extra.shape == (600, 0) and len(start.problem.gamma) == 80
    assert read and not any(isinstance(at, tuple) for at in read)  # of some genes, all cells
    assert start.q.SS.diagonal() == pytest.approx(600)  # factors of unit variance


# --- the same as slalom -------------------------------------------------------------------------

CASES = {
    "annotated only": (400, 80, {"n_dense": 0, "seed": 222}),
    "three dense": (400, 80, {"n_dense": 3, "seed": 222}),
    "another seed": (400, 80, {"n_dense": 1, "seed": 7}),
    "sparse": (400, 110, {"n_dense": 1, "n_sparse": 3, "seed": 3}),
    "covariates": (400, 80, {"n_dense": 1, "covariates": ["batch", "cell_type"], "seed": 222}),
    "all of them": (
        300, 110, {"n_dense": 2, "n_sparse": 2, "covariates": ["batch"], "seed": 11},
    ),
    "fewer cells than genes": (90, 120, {"n_dense": 3, "seed": 222}),
    "no scaling of the prior": (80, 60, {"n_dense": 1, "seed": 222}),
    "randomised components": (700, 80, {"n_dense": 2, "seed": 222}),
    "wide randomised components": (120, 620, {"n_dense": 2, "seed": 222}),
    "both scalings of the prior": (10_400, 60, {"n_dense": 1, "seed": 222}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_follows_slalom_sweep_by_sweep(case):
    n_cells, n_genes, settings = CASES[case]
    data = intae.simulate(n_cells, n_genes, 8, n_active=4, n_dense=1, seed=1)
    n_sweeps = 30 if n_cells > 10_000 else 100
    reference = intae.Slalom(**settings, max_iter=n_sweeps).fit(data)
    exact = intae.FSCLVM(**settings, max_iter=n_sweeps, compat="slalom").fit(data)
    assert_same_posterior(exact, reference)
    if "covariates" in settings:
        assert relative(exact.covariate_weights_, reference.covariate_weights_) < 1e-8


def test_terms_are_switched_off_as_in_slalom():
    data = intae.simulate(400, 80, 8, n_active=3, n_dense=1, seed=1)
    settings = {"n_dense": 3, "seed": 222, "max_iter": 100}
    reference = intae.Slalom(**settings).fit(data)
    exact = intae.FSCLVM(**settings, compat="slalom").fit(data)
    assert 0 < (~reference.terms_["active"]).sum() < 11
    assert_same_posterior(exact, reference)
    assert list(exact.history_["n_active"]) == list(reference.history_["n_active"])


def test_stops_where_slalom_stops(adata):
    reference = intae.Slalom(n_dense=1).fit(adata)
    exact = intae.FSCLVM(n_dense=1, seed=222, compat="slalom").fit(adata)
    assert reference.converged_
    assert exact.converged_
    assert exact.n_iter_ == reference.n_iter_
    assert_same_posterior(exact, reference)


@pytest.mark.parametrize("settings", [{"n_dense": 0}, {"n_dense": 1, "n_sparse": 2}])
def test_follows_slalom_on_buettner15(settings):
    table = pd.read_csv(mirror_file("Buettneretal.csv.gz"), index_col=0)
    raw = anndata.AnnData(table.to_numpy(np.float32))
    raw.var_names = table.columns.astype(str)
    sets = mirror_file("c2.cp.reactome.v4.0.symbols.gmt")
    data = intae.prepare(raw, sets, n_hvgs=300, normalize=False, log1p=False)
    reference = intae.Slalom(**settings, max_iter=30).fit(data)
    exact = intae.FSCLVM(**settings, seed=222, max_iter=30, compat="slalom").fit(data)
    assert_same_posterior(exact, reference)


def test_follows_slalom_on_kang17():
    raw = anndata.read_h5ad(mirror_file("kang17_subset.h5ad"))[::6].copy()
    data = intae.prepare(raw, mirror_file("c2.cp.reactome.v4.0.symbols.gmt"), n_hvgs=250)
    reference = intae.Slalom(n_dense=2, max_iter=25).fit(data)
    exact = intae.FSCLVM(n_dense=2, seed=222, max_iter=25, compat="slalom").fit(data)
    assert_same_posterior(exact, reference)


# --- the bound ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{"n_dense": 0}, {"n_dense": 2, "n_sparse": 2, "covariates": ["batch"]}, {"n_init": 2}],
)
def test_no_sweep_lowers_the_bound(settings):
    data = intae.simulate(400, 110, 8, n_active=3, n_dense=1, seed=2)
    known = np.zeros((400, 0))
    layout = Layout(0, settings.get("n_dense", 3), settings.get("n_sparse", 0), 8)
    if "covariates" in settings:
        known = (data.obs["batch"] == "batch_2").to_numpy(float)[:, None]
        known, layout.n_known = known - known.mean(), 1
    annotations = data.varm["annotations"]
    *_, start = annotation_starts(data.X, annotations, known, layout, settings.get("n_init", 1), 0)
    bounds = []
    for _ in range(80):
        sweep(start.problem, start.q, start.order)
        bounds.append(elbo(start.problem, start.q))
    assert (start.q.d[: layout.n_known] == 0).all(), "an observed factor has a variance"
    if layout.n_dense:
        assert not start.q.on.all(), "no term was switched off on the way"
    assert np.diff(bounds).min() > -1e-10 * abs(bounds[-1])
    assert bounds[-1] > bounds[0]


def test_bound_is_the_expectation_it_stands_for(adata):
    """Against the formula written with the cells, E[log p] - E[log q] term by term."""
    layout = Layout(0, 1, 0, 8)
    start = next(
        annotation_starts(adata.X, adata.varm["annotations"], np.zeros((400, 0)), layout, 1, 0)
    )
    problem, q = start.problem, start.q
    for _ in range(5):
        sweep(problem, q, start.order)
    Y = adata.X.astype(float) - adata.X.astype(float).mean(0)
    S, CW, C = Y @ q.A, q.C * q.W, q.C
    var_w = q.E2 - q.W**2
    # E[(y - s'w)^2] = (y - E[s]'E[w])^2 + the variance of the product
    E_s2, E_w2 = S**2 + q.d, C * q.E2
    square = (Y - S @ CW.T) ** 2 + E_s2 @ E_w2.T - S**2 @ (CW**2).T
    log_p_y = (0.5 * np.log(q.eps / (2 * np.pi)) - 0.5 * q.eps * square).sum()
    kl_s = 0.5 * (E_s2 - 1 - np.log(q.d)).sum()
    pi = 1 / (1 + np.exp(-problem.log_odds))
    kl_w = (C * 0.5 * (q.alpha * q.E2 - 1 - np.log(q.alpha * var_w))).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        on, off = C * np.log(C / pi), (1 - C) * np.log((1 - C) / (1 - pi))
    kl_z = np.nansum(on) + np.nansum(off)
    prior = (1e-3 * np.log(q.alpha) - 1e-3 * q.alpha).sum()
    assert elbo(problem, q) == pytest.approx(log_p_y - kl_s - kl_w - kl_z + prior, rel=1e-10)


def test_the_bound_stops_a_fit(adata, fitted):
    assert fitted.converged_
    assert fitted.n_iter_ == len(fitted.history_) < 2000
    assert fitted.history_["elbo"].iloc[-1] == fitted.elbo_
    assert fitted.history_["elbo"].dropna().is_monotonic_increasing
    loose = intae.FSCLVM(n_dense=1, tol=1e-5).fit(adata)
    assert loose.n_iter_ < fitted.n_iter_
    assert loose.elbo_ < fitted.elbo_
    assert not intae.FSCLVM(n_dense=1, max_iter=4).fit(adata).converged_


# --- loadings of new cells ----------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"covariates": ["batch", "cell_type"], "n_sparse": 1}])
def test_transform_gives_a_fits_own_loadings(adata, settings):
    model = intae.FSCLVM(n_dense=1, **settings).fit(adata)
    assert relative(model.transform(adata), model.loadings_) < 1e-6
    some = adata[[5, 17, 3]].copy()
    pd.testing.assert_frame_equal(model.transform(some), model.loadings_.iloc[[5, 17, 3]])


def test_joint_factors_are_the_fixed_point_of_their_update(adata):
    """Against step S of the updates, written with the cells, covariates among the factors."""
    batch = (adata.obs["batch"] == "batch_2").to_numpy(float)[:, None]
    known, layout = batch - batch.mean(), Layout(1, 1, 0, 8)
    start = next(annotation_starts(adata.X, adata.varm["annotations"], known, layout, 1, 0))
    problem, q = start.problem, start.q
    for _ in range(5):
        sweep(problem, q, start.order)
    before = elbo(problem, q)
    settle(problem, q)
    assert elbo(problem, q) > before
    Y = adata.X.astype(float) - adata.X.astype(float).mean(0)
    S, CW = np.hstack([Y, known]) @ q.A, q.C * q.W
    np.testing.assert_allclose(S[:, 0], known[:, 0])
    for m in range(1, 10):
        sw = CW[:, m] * q.eps
        others = S @ CW.T - np.outer(S[:, m], CW[:, m])
        expected = (Y - others) @ sw / (1 + (q.C[:, m] * q.E2[:, m]) @ q.eps)
        np.testing.assert_allclose(S[:, m], expected, rtol=1e-8, atol=1e-10)


def test_transform_on_slaloms_path(adata):
    """Up to what the terms that slalom switched off, and never looks at again, still do to S."""
    model = intae.FSCLVM(n_dense=0, seed=222, compat="slalom").fit(adata)
    early = intae.FSCLVM(n_dense=0, seed=222, compat="slalom", max_iter=5).fit(adata)
    assert model.converged_
    assert relative(model.transform(adata), model.loadings_) < 1e-4
    assert relative(early.transform(adata), early.loadings_) > 1e-3


def test_transform_matches_genes_by_name(adata, fitted):
    mixed = adata[:, np.random.default_rng(0).permutation(adata.n_vars)].copy()
    pd.testing.assert_frame_equal(fitted.transform(mixed), fitted.loadings_)
    with pytest.raises(IntaeError, match="2 of the model's 80 genes are not in the data"):
        fitted.transform(adata[:, 2:].copy())


def test_transform_before_fit(adata):
    with pytest.raises(NotFittedError):
        intae.FSCLVM().transform(adata)


# --- data of any form ---------------------------------------------------------------------------


@pytest.mark.parametrize("compat", [None, "slalom"])
def test_dense_sparse_and_backed_agree(adata, tmp_path, compat):
    settings = {"n_dense": 1, "max_iter": 20, "compat": compat, "seed": 222}
    dense = intae.FSCLVM(**settings).fit(adata)
    thin = adata.copy()
    thin.X = sparse.csr_matrix(thin.X)
    assert_same_posterior(intae.FSCLVM(**settings).fit(thin), dense)
    for name, data in (("dense", adata), ("sparse", thin)):
        data.write_h5ad(tmp_path / f"{name}.h5ad")
        backed = anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r")
        model = intae.FSCLVM(**settings).fit(backed)
        assert_same_posterior(model, dense)
        assert relative(model.transform(backed), dense.transform(adata)) < 1e-8
        backed.file.close()


def test_data_are_not_modified(adata):
    before = adata.copy()
    intae.FSCLVM(n_dense=1, max_iter=3).fit(adata)
    intae.FSCLVM(n_dense=1, max_iter=3, compat="slalom").fit(adata)
    np.testing.assert_array_equal(adata.X, before.X)
    assert list(adata.obsm) == list(before.obsm)


def test_sweeps_do_not_see_the_cells():
    """The statistics of 200 and of 20,000 cells have the same size, and so has a sweep's work."""
    shapes, seconds = [], []
    for n_cells in (200, 20_000):
        data = intae.simulate(n_cells, 60, 6, n_active=3, seed=0)
        layout = Layout(0, 1, 0, 6)
        known = np.zeros((n_cells, 0))
        start = next(annotation_starts(data.X, data.varm["annotations"], known, layout, 1, 0))
        q, times = start.q, []
        for _ in range(9):
            begin = time.perf_counter()
            sweep(start.problem, q, start.order)
            times.append(time.perf_counter() - begin)
        arrays = (start.problem.gamma, start.problem.log_odds, q.A, q.XS, q.SS, q.CW)
        shapes.append([a.shape for a in arrays])
        seconds.append(min(times))
    assert shapes[0] == shapes[1]
    assert seconds[1] < 5 * seconds[0]  # a hundredfold, were it the cells


def test_safe_where_genes_do_not_vary(adata):
    data = adata.copy()
    data.X[:, 3] = 1.5
    data.X[:, 5] = data.X[:, 4]
    data.X[:, 7] = 0.0
    data.X[0, 7] = 1e-4
    with warnings.catch_warnings(), np.errstate(divide="raise", invalid="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        model = intae.FSCLVM(n_dense=1, max_iter=200).fit(data)
        same = intae.FSCLVM(n_dense=1, max_iter=50, compat="slalom").fit(data)
    for fit in (model, same):
        for name in ("loadings_", "weights_", "weights_sd_", "membership_", "eps_", "alpha_"):
            assert np.isfinite(np.asarray(getattr(fit, name))).all(), name
        assert fit._state["eps"].max() <= 1e6  # of the scaled genes


@pytest.mark.parametrize("compat", [None, "slalom"])
def test_safe_where_a_set_does_not_vary(adata, compat):
    data = adata.copy()
    data.X[:, data.varm["annotations"][:, 0] > 0] = 2.0
    model = intae.FSCLVM(n_dense=0, max_iter=50, compat=compat).fit(data)
    for name in ("loadings_", "weights_", "membership_", "eps_"):
        assert np.isfinite(np.asarray(getattr(model, name))).all(), name
    # slalom's start draws a few genes beside the set's own
    assert model.terms_["variance_explained"].iloc[0] < (1e-6 if compat is None else 1)


# --- starts -------------------------------------------------------------------------------------


def test_the_first_start_is_not_random(adata, fitted):
    other = intae.FSCLVM(n_dense=1, seed=9).fit(adata)
    pd.testing.assert_frame_equal(other.loadings_, fitted.loadings_)
    sets = [intae.FSCLVM(n_dense=1, n_sparse=2, max_iter=5, seed=s).fit(adata) for s in (0, 1)]
    pd.testing.assert_frame_equal(sets[0].loadings_, sets[1].loadings_)


def test_seeds_of_slaloms_start(adata):
    one, same, other = (
        intae.FSCLVM(n_dense=1, seed=s, compat="slalom", max_iter=5).fit(adata).loadings_
        for s in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert relative(one, other) > 1e-3


def test_best_of_several_starts():
    data = intae.simulate(250, 110, 12, n_active=6, n_dense=2, seed=4)
    single = intae.FSCLVM(n_dense=2, max_iter=100).fit(data)
    model = intae.FSCLVM(n_dense=2, max_iter=100, n_init=4, seed=0).fit(data)
    table = model.starts_
    assert sorted(table.index) == [0, 1, 2, 3]
    assert table["elbo"].is_monotonic_decreasing
    assert table["elbo"].iloc[0] == model.elbo_ >= single.elbo_
    assert table["elbo"].nunique() > 1, "the starts are all the same"
    assert table.loc[0, "elbo"] == single.elbo_
    best = table.iloc[0]
    assert best["median_r"] == pytest.approx(1.0)
    assert best["jaccard"] == 1.0
    assert best["shared_top10"] == 10
    assert table["median_r"].between(0, 1 + 1e-9).all()


def test_agreement_of_starts_is_that_of_their_loadings():
    from intae.fsclvm.compare import agreement

    data = intae.simulate(250, 110, 12, n_active=6, n_dense=2, seed=4)
    layout = Layout(0, 1, 0, 12)
    known = np.zeros((250, 0))
    a, b = annotation_starts(data.X, data.varm["annotations"], known, layout, 2, 0)
    for start in (a, b):
        for _ in range(20):
            sweep(start.problem, start.q, start.order)
    Y = data.X.astype(float) - data.X.astype(float).mean(0)
    on = np.flatnonzero(a.q.on[1:] & b.q.on[1:]) + 1
    r = [abs(np.corrcoef(Y @ a.q.A[:, k], Y @ b.q.A[:, k])[0, 1]) for k in on]
    assert agreement(a, b, layout)[0] == pytest.approx(np.median(r), rel=1e-6)


def test_finds_what_was_planted():
    data = intae.simulate(1500, 200, 20, n_active=6, n_dense=1, strength=(0.6, 1.0), seed=0)
    model = intae.FSCLVM(n_dense=1).fit(data)
    planted = data.uns["true_terms"]["active"].to_numpy()[:20]
    terms = model.terms_.iloc[:20]
    relevance = terms["relevance"].where(terms["active"], 0.0)
    assert roc_auc_score(planted, relevance) > 0.9
    term = terms["variance_explained"].idxmax()
    k = list(data.uns["terms"]).index(term)
    assert planted[k]
    r = np.corrcoef(model.encode(data)[term], data.obsm["true_loadings"][:, k])[0, 1]
    assert abs(r) > 0.9
    truth = data.varm["true_weights"][:, k] != 0
    assert roc_auc_score(truth, model.membership_[term]) > 0.9


# --- continued, saved ---------------------------------------------------------------------------


def test_a_continued_fit_follows_slalom_on(adata, tmp_path):
    settings = {"n_dense": 1, "seed": 3, "compat": "slalom"}
    whole = intae.FSCLVM(**settings, max_iter=60).fit(adata)
    model = intae.FSCLVM(**settings, max_iter=30).fit(adata)
    model.save(tmp_path / "half.h5")
    for part in (model, intae.FSCLVM.load(tmp_path / "half.h5")):
        part.fit(adata, warm_start=True)
        assert_same_posterior(part, whole)
        assert part.n_iter_ == 60
        assert list(part.history_["iteration"]) == list(range(1, 61))
        assert part.history_["seconds"].is_monotonic_increasing


def test_a_continued_fit_goes_on_upwards(adata, fitted):
    model = intae.FSCLVM(n_dense=1, max_iter=20, covariates=["batch"]).fit(adata)
    before = model.elbo_
    for _ in range(3):
        model.fit(adata, warm_start=True)
        assert model.elbo_ > before
        before = model.elbo_
    assert model.n_iter_ == 80
    with pytest.raises(IntaeError, match="obs_names"):
        model.fit(adata[1:].copy(), warm_start=True)
    with pytest.raises(NotFittedError):
        intae.FSCLVM().fit(adata, warm_start=True)


def test_save_and_load(adata, tmp_path):
    model = intae.FSCLVM(n_dense=1, n_sparse=1, covariates=["cell_type"], max_iter=20).fit(adata)
    model.save(tmp_path / "model.h5")
    loaded = intae.FSCLVM.load(tmp_path / "model.h5")
    for name in ("loadings_", "weights_", "membership_", "weights_sd_", "covariate_weights_"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(model, name))
    pd.testing.assert_series_equal(loaded.loadings_sd_, model.loadings_sd_)
    pd.testing.assert_frame_equal(loaded.starts_, model.starts_, check_index_type=False)
    assert loaded.elbo_ == model.elbo_
    new = adata[:7].copy()
    pd.testing.assert_frame_equal(loaded.transform(new), model.transform(new))


# --- what it says -------------------------------------------------------------------------------


def test_uncertainty(adata, fitted):
    membership, sd = fitted.membership_.to_numpy(), fitted.loadings_sd_
    assert ((membership >= 0) & (membership <= 1)).all()
    assert ((sd > 0) & (sd <= 1)).all()
    # E[s^2] is 1 a priori; a term that explains much leaves little uncertain
    explained = fitted.terms_["variance_explained"]
    assert sd[explained.idxmax()] < sd[explained.idxmin()]
    assert (fitted.weights_sd_.to_numpy() > 0).all()
    pd.testing.assert_index_equal(fitted.membership_.index, fitted.weights_.index)


def test_terms_table(adata, fitted):
    table = fitted.terms_
    assert list(table["kind"]) == ["annotated"] * 8 + ["dense"]
    np.testing.assert_allclose(table["relevance"], 1 / fitted.alpha_)
    term = table.index[table["active"] & (table["kind"] == "annotated")][0]
    in_set = adata.varm["annotations"][:, list(table.index).index(term)] > 0
    on = fitted.membership_[term].to_numpy() > 0.5
    assert table.loc[term, "genes_added"].split() == list(adata.var_names[on & ~in_set])
    assert table.loc[term, "genes_removed"].split() == list(adata.var_names[~on & in_set])
    weights = fitted.weights_.to_numpy()[:, :8]
    assert ((weights * adata.varm["annotations"]).sum(0) >= 0).all()


def test_warns_of_a_term_that_became_something_else():
    table = pd.DataFrame(
        {
            "kind": ["annotated", "annotated", "annotated", "dense"],
            "n_genes": [2, 2, 2, 0],
            "active": [True, True, False, True],
            "genes_added": ["A B C", "A B", "A B C", "A B C"],
        },
        index=["CHANGED", "SAME", "OFF", "dense_1"],
    )
    with pytest.warns(UserWarning, match="3 genes were added to the 2") as caught:
        warn_of_changed(table)
    assert len(caught) == 1
    assert "'CHANGED'" in str(caught[0].message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compat": "muvi"}, "compat must be one of None, slalom, not 'muvi'"),
        ({"compat": "slalom", "n_init": 3}, "n_init=3, but compat"),
        ({"n_dense": -1}, "n_dense must be an integer of at least 0, not -1"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1"),
        ({"n_init": 0}, "n_init must be an integer of at least 1"),
        ({"tol": -1.0}, "tol must be a finite number that is not negative"),
        ({"covariates": ["age"]}, "covariate 'age' is not a column of obs"),
    ],
)
def test_arguments_that_make_no_sense(adata, settings, message):
    with pytest.raises(IntaeError, match=message):
        intae.FSCLVM(**settings).fit(adata)


@pytest.mark.parametrize("compat", [None, "slalom"])
def test_data_that_make_no_sense(adata, compat):
    few = intae.simulate(50, 15, 4, n_active=3, n_dense=0, seed=0)
    with pytest.raises(IntaeError, match="starts from 20 genes, but there are only 15"):
        intae.FSCLVM(n_sparse=1, compat=compat).fit(few)
    broken = adata.copy()
    broken.X[3, 4] = np.nan
    with pytest.raises(ContractError, match="X: "):
        intae.FSCLVM(compat=compat).fit(broken)
    del broken.varm["annotations"]
    with pytest.raises(ContractError, match="annotations"):
        intae.FSCLVM(compat=compat).fit(broken)
