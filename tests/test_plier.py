"""PLIER against its objective's own optimality, and against the published updates on all cells."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.optimize import nnls
from sklearn.linear_model import ElasticNet

import intae
from intae.errors import IntaeError
from intae.plier.model import encoder, significant_components, svd_start
from intae.plier.sets import Sets, check_names, held_in, name_factors
from intae.prepared import get_annotations, get_terms


@pytest.fixture(scope="module")
def fitted(simulated) -> dict[str, intae.PLIER]:
    """One model of each step; not to be changed."""
    return {
        step: intae.PLIER(step=step, threads=1).fit(simulated) for step in ("published", "exact")
    }


def standardised(adata: AnnData) -> np.ndarray:
    """Return Y, genes x cells, at mean 0 and variance 1."""
    X = np.asarray(adata.X, dtype=float)
    return ((X - X.mean(0)) / X.std(0)).T


def published_updates(Y, C, k, n_rounds, *, named=0.7, max_sets=10, alpha=0.9):
    """Transcribe the updates as they are printed, with all cells and one factor at a time."""
    vectors, singular, _ = np.linalg.svd(Y, full_matrices=False)
    l2 = singular[k - 1]
    l1, Z = l2 / 2, np.zeros((len(Y), k))
    for f in range(k):
        v = vectors[:, f]
        v = v if (v[v > 0] ** 2).sum() >= 0.5 else -v
        Z[:, f] = np.sqrt(singular[f]) * v.clip(0)
    size = np.sqrt(C.sum(0))
    for _ in range(n_rounds):
        B = np.linalg.inv(Z.T @ Z + l2 * np.eye(k)) @ Z.T @ Y
        ridge = np.linalg.inv(C.T @ C + 5 * np.eye(C.shape[1])) @ C.T @ Z
        candidates = [np.argsort(-ridge[:, f], kind="stable")[:max_sets] for f in range(k)]
        inner = [((C / size)[:, c].T @ Z[:, f]).max() for f, c in enumerate(candidates)]
        l3 = np.quantile(inner, 1 - named) * 2 * l1 / alpha
        U = np.zeros((C.shape[1], k))
        for f, chosen in enumerate(candidates):
            net = ElasticNet(
                alpha=l3 / (2 * l1 * len(Y)), l1_ratio=alpha, fit_intercept=False, positive=True,
                tol=1e-14, max_iter=100_000,
            ).fit((C / size)[:, chosen], Z[:, f])  # fmt: skip
            U[chosen, f] = net.coef_ / size[chosen]
        Z = (Y @ B.T + l1 * C @ U) @ np.linalg.inv(B @ B.T + l1 * np.eye(k))
        Z[Z < 0] = 0
    return Z, U, np.linalg.inv(Z.T @ Z + l2 * np.eye(k)) @ Z.T @ Y, (l1, l2, l3)


@pytest.mark.parametrize("hold_out", [False, True])
def test_moments_alone_give_the_published_updates(simulated, hold_out):
    k, n_rounds = 6, 12
    C = get_annotations(simulated).astype(float)
    seen = held_in(C, simulated.var_names) if hold_out else C
    Z, U, B, lambdas = published_updates(standardised(simulated), seen, k, n_rounds)
    model = intae.PLIER(k, hold_out=hold_out, max_iter=n_rounds).fit(simulated)
    np.testing.assert_allclose([model.lambdas_[name] for name in ("l1", "l2", "l3")], lambdas)
    scale = np.asarray(simulated.X, float).std(0)
    n_sets, taken = C.shape[1], []
    for term in model.weights_.columns[model.terms_["active"]]:
        place, weights = model.weights_.columns.get_loc(term), model.weights_[term] / scale
        (f,) = [f for f in range(k) if np.allclose(Z[:, f], weights, rtol=1e-6, atol=1e-8)]
        np.testing.assert_allclose(model.loadings_[term], B[f], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(model.usage_[:, place], U[:, f], rtol=1e-6, atol=1e-8)
        if place < n_sets:
            assert U[:, f].argmax() == place and U[place, f] > 0
        taken.append(f)
    assert sorted(taken) == list(range(k))  # every factor is one term
    assert model.n_iter_ == n_rounds and not model.converged_


def test_steps_meet_the_conditions_of_their_own_optimum(simulated, fitted):
    Y, C = standardised(simulated), get_annotations(simulated).astype(float)
    seen, scale = held_in(C, simulated.var_names), np.asarray(simulated.X, float).std(0)
    for step, model in fitted.items():
        on = model.terms_["active"].to_numpy()
        Z = model.weights_.to_numpy()[:, on] / scale[:, None]
        B, U = model.loadings_.to_numpy()[:, on].T, model.usage_[:, on]
        l1, l2, l3 = (model.lambdas_[name] for name in ("l1", "l2", "l3"))
        assert (Z >= 0).all() and (U >= 0).all() and ((U > 0).sum(0) <= 10).all()
        # B: the gradient is zero
        np.testing.assert_allclose(Z.T @ (Z @ B - Y) + l2 * B, 0, atol=1e-8 * abs(Z.T @ Y).max())
        # U: zero where the coefficient is positive, elsewhere not negative (8 candidates)
        size = np.sqrt(seen.sum(0))[:, None]
        gradient = 2 * l1 * seen.T @ (seen @ U - Z) / size + l3 * (0.9 + 0.1 * size * U)
        assert abs(gradient[U > 0]).max() < 1e-3 * l3
        assert gradient[U == 0].min() > -1e-3 * l3
        # Z: of each gene, the non-negative least squares, or the projection of the free ones
        Q, target = B @ B.T + l1 * np.eye(len(B)), Y @ B.T + l1 * seen @ U
        if step == "exact":
            root = np.linalg.cholesky(Q)
            best = np.array([nnls(root.T, np.linalg.solve(root, t))[0] for t in target])
        else:
            best = np.maximum(0, target @ np.linalg.inv(Q))
        assert np.linalg.norm(Z - best) < 5e-3 * np.linalg.norm(best)
        assert model.converged_ and max(model.certificate_.values()) < 5e-3


def test_exact_steps_never_raise_the_objective(simulated, fitted):
    model = fitted["exact"]
    settled = model.history_["objective"].to_numpy()[50:]  # l3 and the candidates stay from here
    assert (np.diff(settled) <= 1e-9 * settled[0]).all()
    Y, C = standardised(simulated), get_annotations(simulated).astype(float)
    on = model.terms_["active"].to_numpy()
    Z = model.weights_.to_numpy()[:, on] / np.asarray(simulated.X, float).std(0)[:, None]
    B, U = model.loadings_.to_numpy()[:, on].T, model.usage_[:, on]
    seen, used = held_in(C, simulated.var_names), model.lambdas_
    sized = np.sqrt(seen.sum(0))[:, None] * U
    value = (
        ((Y - Z @ B) ** 2).sum() + used["l1"] * ((Z - seen @ U) ** 2).sum()
        + used["l2"] * (B**2).sum() + used["l3"] * (0.9 * sized.sum() + 0.05 * (sized**2).sum())
    )  # fmt: skip
    assert value == pytest.approx(settled[-1], rel=1e-5)
    assert settled[-1] <= fitted["published"].history_["objective"].iloc[-1]


def test_l3_gives_the_share_of_factors_a_set(simulated):
    rng, C = np.random.default_rng(0), get_annotations(simulated).astype(float)
    Z, sets = np.abs(rng.normal(size=(len(C), 10))), Sets.of(C)
    chosen = sets.candidates(Z, 3)
    threshold = sets.threshold(Z, chosen, 0.7)
    V = sets.elastic_net(Z, np.zeros((C.shape[1], 10)), chosen, threshold / 0.9, 0.9)
    assert (V.max(0) > 0).sum() == 7 and ((V > 0).sum(0) <= 3).all()


def test_factors_are_named_by_their_largest_coefficient():
    U = np.array([[0.3, 0.5, 0.0, 0.0], [0.1, 0.0, 0.0, 0.2]])
    assert name_factors(U) == {0: 1, 1: 3}  # the first factor's set names another, larger there


def test_terms_of_sets_and_of_factors_without_one(simulated, fitted):
    for model in fitted.values():
        terms, names = model.terms_, get_terms(simulated)
        assert list(terms.index[: len(names)]) == list(names)
        dense = terms[terms["kind"] == "dense"]
        assert list(dense.index) == [f"dense_{i + 1}" for i in range(len(dense))]
        assert terms["active"].sum() == model.lambdas_["n_factors"]
        off = terms.index[~terms["active"]]
        assert (model.weights_[off] == 0).all(None) and (model.loadings_[off] == 0).all(None)
        assert terms["auc"][dense.index].isna().all()
        assert not model.reads_off_terms
    assert fitted["exact"].terms_.loc[names, "active"].any()


def test_relevance_is_of_the_set_in_its_factor(simulated):
    model = intae.PLIER(hold_out=False).fit(simulated)
    sd, sizes = model.loadings_.std(ddof=0), get_annotations(simulated).sum(0)
    for j, term in enumerate(get_terms(simulated)):
        expected = sd[term] * model.usage_[j, j] * np.sqrt(sizes[j])
        assert model.terms_.loc[term, "relevance"] == pytest.approx(expected, rel=1e-4)
        assert (model.terms_.loc[term, "relevance"] > 0) == model.terms_.loc[term, "active"]


def test_new_cells_saving_and_reconstruction(simulated, fitted, tmp_path):
    model = fitted["published"]
    pd.testing.assert_frame_equal(
        model.transform(simulated[:, ::-1].copy()), model.loadings_, check_exact=False
    )
    model.save(tmp_path / "model.h5")
    loaded = intae.PLIER.load(tmp_path / "model.h5")
    pd.testing.assert_frame_equal(loaded.encode(simulated), model.loadings_)
    assert loaded.lambdas_ == model.lambdas_ and loaded.get_params() == model.get_params()
    left = np.asarray(simulated.X) - model.reconstruct(simulated).to_numpy()
    assert left.var(0).sum() < 0.8 * np.asarray(simulated.X).var(0).sum()


def test_cells_enter_by_their_moments_alone(simulated, fitted):
    model = fitted["published"]
    thin = simulated.copy()
    thin.X = sparse.csr_matrix(thin.X)
    again = intae.PLIER().fit(thin)
    np.testing.assert_allclose(again.weights_, model.weights_, atol=1e-6)
    order = np.random.default_rng(0).permutation(simulated.n_vars)
    other = intae.PLIER(seed=1).fit(simulated[:, order].copy())  # nor does the order of the genes
    np.testing.assert_allclose(other.loadings_, model.loadings_, atol=1e-4)


def test_the_same_cells_thrice_give_the_same_factors(simulated):
    many = AnnData(
        np.tile(simulated.X, (3, 1)), var=simulated.var, varm=dict(simulated.varm),
        uns=dict(simulated.uns),
    )  # fmt: skip
    many.obs_names = [f"c{i}" for i in range(many.n_obs)]
    few, more = (intae.PLIER(4, alpha=1.0, max_iter=60).fit(data) for data in (simulated, many))
    unit = 3**0.25  # l1 and l2 grow as the singular values do, which shifts scale from B to Z
    np.testing.assert_allclose(more.weights_, few.weights_ * unit, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(more.loadings_[:200], few.loadings_ / unit, rtol=1e-5, atol=1e-7)


def test_significant_components_of_noise_and_of_factors():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2000, 100))
    values = np.linalg.eigvalsh(np.corrcoef(noise.T))
    assert significant_components(values[values < 1.4], 2000) == 1  # at least one
    noise += 2 * rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 100))
    assert significant_components(np.linalg.eigvalsh(np.corrcoef(noise.T)), 2000) == 3


def test_start_and_encoder():
    vectors = np.array([[0.6, -0.8], [-0.8, -0.6]])
    np.testing.assert_allclose(svd_start(np.array([16.0, 1.0]), vectors), [[0, 0.8], [1.6, 0.6]])
    Z = np.array([[1.0, 0.0], [1.0, 2.0]])
    np.testing.assert_allclose(encoder(Z, 2.0) @ (Z.T @ Z + 2 * np.eye(2)), Z, atol=1e-15)


def test_genes_held_out_test_the_names():
    genes = pd.Index([f"g{i:02}" for i in range(40)])
    C = np.zeros((40, 2))
    C[:10, 0] = C[20:30, 1] = 1
    seen = held_in(C, genes)
    np.testing.assert_array_equal(
        np.flatnonzero(C - seen), np.array([4, 9, 24, 29]) * 2 + [0, 0, 1, 1]
    )
    np.testing.assert_array_equal(held_in(C[::-1], genes[::-1])[::-1], seen)
    Z = np.random.default_rng(0).random((40, 2))
    Z[:10, 0] += 5  # the first factor weighs its whole set, the second no set
    auc, q = check_names(Z, np.eye(2), C > 0, C > seen)
    assert auc[0] == 1 and q[0] < 0.05 < q[1]
    auc, q = check_names(Z, np.zeros((2, 2)), C > 0, C > seen)
    assert np.isnan([*auc, *q]).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"step": "adam"}, "step must be one of published, exact, not 'adam'"),
        ({"n_factors": 0}, "n_factors must be an integer of at least 1, not 0"),
        ({"l2": -1.0}, "l2 must be a finite number above 0, not -1.0"),
        ({"named": 1.5}, "named must be a number in"),
    ],
)
def test_arguments_that_do_not_fit(simulated, params, message):
    with pytest.raises(IntaeError, match=message):
        intae.PLIER(**params).fit(simulated)


def test_data_without_variation_are_refused(simulated):
    flat = simulated.copy()
    flat.X = np.ones(flat.shape, dtype=np.float32)
    with pytest.raises(IntaeError, match="no gene varies"):
        intae.PLIER().fit(flat)
