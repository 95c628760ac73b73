"""The autoencoder: its objective, its three solvers, and what users lean on."""

import anndata
import numpy as np
import pytest
import torch
from conftest import mirror_file
from scipy import sparse

import intae
from intae import Autoencoder, simulate
from intae.autoencoder import exact
from intae.autoencoder.confounders import (
    find_confounders,
    sets_are_blurred,
    share_taking_part,
)
from intae.autoencoder.descent import Problem, descend, step_lengths
from intae.autoencoder.evidence import evidence
from intae.autoencoder.forward import Candidates, leading_direction, try_term
from intae.autoencoder.lambdas import lambda_max, size_weights
from intae.autoencoder.naming import factor_targets, name_gains, rename
from intae.autoencoder.objective import (
    annotation_start,
    best_data_term,
    best_encoder,
    best_loadings,
    data_term,
    gradient,
)
from intae.autoencoder.penalties import Penalty, column_norms
from intae.autoencoder.second_look import second_look
from intae.moments import second_moments

pytestmark = pytest.mark.usefixtures("one_thread")

SOLVERS = ("exact", "adam", "proximal")


@pytest.fixture(scope="module")
def problem(cells):
    return Problem(second_moments(cells.X).covariance, 0.1)


@pytest.fixture(scope="module")
def penalty(cells):
    I = cells.varm["annotations"].astype(float)
    return Penalty.build(I, np.array(["annotated"] * 8), 0.5, 0.4, 0.6)


def model(solver="exact", **kwargs):
    kwargs = {"epochs": 2, "threads": 1, "device": "cpu"} | kwargs
    return Autoencoder(solver, **kwargs)


@pytest.fixture(scope="module")
def fits(cells):
    return {solver: model(solver, n_sparse=1, n_dense=1).fit(cells) for solver in SOLVERS}


# ------------------------------------------------------------------ equation 3


def test_best_encoder_beats_every_other(cells, problem):
    rng = np.random.default_rng(0)
    W = rng.normal(size=(60, 5))
    Y = cells.X - cells.X.mean(0)
    A = best_encoder(W, 0.1)
    best = best_data_term(problem.S, W, 0.1)
    assert data_term(Y, Y @ A, W, 0.1) == pytest.approx(best, rel=1e-5)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(10):
            Z = Y @ (A + size * rng.normal(size=A.shape))
            assert data_term(Y, Z, W, 0.1) > best
            assert data_term(Y, Y @ A + size * rng.normal(size=Z.shape), W, 0.1) > best


def test_best_data_term_is_the_trace_of_equation_3(problem):
    W = np.random.default_rng(1).normal(size=(60, 5))
    trace = 0.1 * np.trace(problem.S @ np.linalg.inv(W @ W.T + 0.1 * np.eye(60)))
    assert best_data_term(problem.S, W, 0.1) == pytest.approx(trace, rel=1e-9)


def test_gradient_against_differences(problem):
    rng = np.random.default_rng(2)
    W, D = rng.normal(size=(2, 60, 5))
    ends = [best_data_term(problem.S, W + h * D, 0.1) for h in (1e-5, -1e-5)]
    assert np.vdot(gradient(problem.S, W, 0.1), D) == pytest.approx(
        (ends[0] - ends[1]) / 2e-5, rel=1e-5
    )


def test_moments_of_loadings_give_the_data_term(cells, problem):
    rng = np.random.default_rng(3)
    W, V = rng.normal(size=(2, 60, 5))
    Y = (cells.X - cells.X.mean(0)).astype(float)
    Z = Y @ best_encoder(V, 0.1)  # the best for another W
    moments = best_loadings(problem.S @ V, V, 0.1)
    assert moments.data_term(problem.total, W, 0.1) == pytest.approx(
        data_term(Y, Z, W, 0.1), rel=1e-5
    )


# ------------------------------------------------------------ the exact solver


def test_every_step_decreases(problem, penalty, cells):
    """A plain proximal step of the safe length, from many points, and every step of descent."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        W = rng.normal(size=(60, 8)) * rng.gamma(1, size=8)
        here = problem.at(W)
        step = step_lengths(here.best.ZZ)
        new = penalty.prox(W - step * here.gradient(), step)
        after = best_data_term(problem.S, new, 0.1) + penalty.value(new)
        assert after < here.data_term + penalty.value(W)
    W = annotation_start(problem.S, cells.varm["annotations"].astype(float), 8)
    last = problem.at(W).data_term + penalty.value(W)
    for _ in range(30):
        W, _, _ = descend(problem, penalty, W, tol=0, max_iter=1)
        now = problem.at(W).data_term + penalty.value(W)
        assert now <= last * (1 + 1e-12)
        last = now


def test_history_never_rises_and_ends_at_the_certificate(fits):
    history = fits["exact"].history_
    assert (history["objective"].diff().dropna() <= 1e-9).all()
    assert fits["exact"].converged_
    assert history["certificate"].iloc[-1] <= 1e-4
    last = history.iloc[-1]
    parts = last[["F", "penalty_annotated", "penalty_sparse", "penalty_group"]].sum()
    assert last["objective"] == pytest.approx(parts)


def test_certificate_holds_in_all_directions(fits, cells):
    """No small move lowers F + R by more than the certificate allows."""
    m = fits["exact"]
    S, W = second_moments(cells.X).covariance, m.weights_.to_numpy()
    lambdas = [m.lambdas_[name] for name in ("lambda1", "lambda2", "lambda3")]
    penalty = m._penalty_of(*lambdas)
    at = best_data_term(S, W, 0.1) + penalty.value(W)
    assert at == pytest.approx(m.history_["objective"].iloc[-1], rel=1e-9)
    rng = np.random.default_rng(5)
    for _ in range(50):
        D = rng.normal(size=W.shape)
        D *= 1e-4 / np.linalg.norm(D)
        moved = best_data_term(S, W + D, 0.1) + penalty.value(W + D)
        assert moved > at - 1.01e-4 * 1e-4 * m.scale_ - 1e-7


def test_what_a_term_brings_is_what_it_lowers(problem, penalty):
    """The gain that forward selection predicts is the fall of F + R when the term comes in."""
    W = np.zeros((60, 8))
    for _ in range(3):
        here = problem.at(W)
        candidates = Candidates(problem, penalty, np.zeros(8, dtype=bool))
        term, column = candidates.best(here)
        new, came_in = try_term(here, penalty, term, column)
        assert came_in
        fall = here.data_term + penalty.value(W) - new.data_term - penalty.value(new.W)
        assert fall == pytest.approx(candidates.bound[term], rel=1e-6)
        W = new.W


def test_evidence_is_what_changing_sides_costs(cells):
    fit = model(tol=1e-8).fit(cells)
    problem, penalty = fit._problem, fit._penalty
    here = problem.at(fit.weights_.to_numpy())
    on = column_norms(here.W) > 0
    assert 0 < on.sum() < 8
    found = evidence(here, penalty)
    assert (found[on] > 0).all() and (found[~on] < 0).all()

    def height(W):
        return best_data_term(problem.S, W, 0.1) + penalty.value(W)

    for k in np.flatnonzero(on):  # to leave it out costs no more than that, often less
        rise = height(np.where(np.arange(8) == k, 0.0, here.W)) - height(here.W)
        alone = name_gains(*(x[..., [0]] for x in factor_targets(here, [k])), penalty.take([k]))
        assert 0 < rise <= alone.item() + 1e-9
        assert found[k] <= alone.item() + 1e-9
    candidates = Candidates(problem, penalty, np.zeros(8, dtype=bool))
    candidates.look_at(here)
    for k in np.flatnonzero(~on):
        shortfall = candidates.shortfall(k)
        assert -found[k] <= shortfall
        # the same, computed plainly: let it in along its direction and look at F* + R
        genes = np.flatnonzero(penalty.entries[:, k] == 0)
        _, new, _, u = candidates._direction(genes, penalty.entries[:, k], penalty.groups[k])
        W = here.W.copy()
        W[genes, k] = np.sqrt(0.1 / new) * u  # the natural length
        np.testing.assert_allclose(height(W) - height(here.W), shortfall, rtol=1e-8)


def test_evidence_knows_a_name_that_would_do_as_well():
    rng = np.random.default_rng(0)
    n, I = 400, np.zeros((30, 3))
    I[:10, 0] = I[:9, 1] = I[20:, 2] = 1  # the second set lies within the first; the third is noise
    Y = rng.normal(size=(n, 30))
    Y[:, :10] += 2 * rng.normal(size=(n, 1))
    problem = Problem(second_moments(Y).covariance, 0.1)
    penalty = Penalty.build(I, np.array(["annotated"] * 3), 3.0, 3.0, 3.0)
    W, _, _ = descend(problem, penalty, I * [[1, 0, 0]], tol=1e-8, max_iter=5000)
    here = problem.at(W)
    first, second, third = evidence(here, penalty)
    alone = name_gains(*(x[..., [0]] for x in factor_targets(here, [0])), penalty.take([0])).item()
    assert first > 0 > second
    assert -second <= first < 0.1 * alone  # the second would do nearly as well as the first
    assert third < 0


def test_evidence_stands_among_the_terms(fits):
    for solver, fit in fits.items():
        found = fit.terms_["evidence"]
        assert found.isna().all() if solver == "adam" else found.notna().all()


def test_a_second_look_finds_what_one_term_alone_does_not(monkeypatch):
    """A minimum that no single term can leave, and a lower one after others made room."""
    data = simulate(250, 60, 8, n_active=4, n_dense=0, strength=(0.6, 1.2), seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(exact, "second_look", lambda problem, penalty, W, barred, tol: (W, False))
        first = model(n_dense=0).fit(data)
    assert first.converged_
    W, penalty, free = first.weights_.to_numpy(), first._penalty, np.zeros(8, dtype=bool)
    here = first._problem.at(W)
    assert Candidates(first._problem, penalty, free).best(here) is None
    new, moved = second_look(first._problem, penalty, W, free, 1e-3 * first.scale_)
    came = np.flatnonzero(new.any(0) & ~W.any(0))
    assert moved and len(came)
    second = model(n_dense=0).fit(data)
    lower = second.history_["objective"].iloc[-1] / first.history_["objective"].iloc[-1]
    assert lower < 0.98
    _, moved = second_look(first._problem, penalty, W, np.isin(np.arange(8), came), 1e-3)
    assert not moved  # what is barred stays off, and nothing else helps


@pytest.mark.parametrize("size", [1, 2, 29, 30, 120])
def test_leading_direction(size):
    """Small and large covariances, and one of nothing."""
    X = np.random.default_rng(size).standard_normal((60, size))
    value, u = leading_direction(X.T @ X)
    assert value == pytest.approx(np.linalg.eigvalsh(X.T @ X)[-1])
    assert np.allclose(X.T @ (X @ u), value * u)
    assert np.linalg.norm(u) == pytest.approx(1)
    assert leading_direction(np.zeros((size, size)))[0] == 0


def test_a_wrong_name_is_mended(cells, problem):
    """A term's weights under another term's name go back, and F + R falls."""
    fit = model(n_dense=0, lambda1=0.5, lambda3=3.0).fit(cells)
    penalty = fit._penalty_of(0.5, 0.0, 3.0)
    fitted = fit.weights_.to_numpy()
    right, wrong = np.flatnonzero(column_norms(fitted))[0], np.flatnonzero(~fitted.any(0))[0]
    W = fitted.copy()
    W[:, [right, wrong]] = W[:, [wrong, right]]
    here = problem.at(W)
    mended, moves = rename(here, penalty, np.zeros(8, dtype=bool))
    assert moves >= 1
    assert (mended.W[:, right] != 0).any()
    assert (mended.W[:, wrong] == 0).all()
    assert mended.data_term + penalty.value(mended.W) < here.data_term + penalty.value(W)
    barred = np.arange(8) == right
    assert (rename(here, penalty, barred)[0].W[:, right] == 0).all()


def test_lambda_max_leaves_nothing_and_less_leaves_something(cells):
    nothing = model(weighting="sqrt-size").fit(cells)
    largest = nothing.lambdas_["lambda3_max"]
    options = dict(weighting="sqrt-size", lambda1=1e3)
    assert not model(lambda3=1.001 * largest, **options).fit(cells).terms_["active"].any()
    some = model(lambda3=0.98 * largest, **options).fit(cells)
    assert some.terms_["active"].sum() == 1


def test_lambda_max_follows_the_units(cells):
    I = cells.varm["annotations"].astype(float)
    S, weights = second_moments(cells.X).covariance, size_weights(I, 8)
    one = np.array(lambda_max(S, I, 0.1, weights))
    assert np.allclose(np.array(lambda_max(4 * S, I, 0.4, weights)), 2 * one)


def test_same_whatever_the_threads(cells):
    one, two = (model(threads=n).fit(cells) for n in (1, 2))
    assert np.allclose(one.weights_, two.weights_, atol=1e-6)
    assert np.allclose(one.loadings_, two.loadings_, atol=1e-6)


def test_planted_terms_are_found():
    data = simulate(1000, seed=1)
    fit = model(n_dense=2).fit(data)
    truth = data.uns["true_terms"]
    planted = truth.index[truth["active"] & (truth["kind"] == "annotated")]
    known = fit.terms_[fit.terms_["kind"] == "annotated"]
    top = known["relevance"].nlargest(len(planted)).index
    assert len(set(top) & set(planted)) >= len(planted) - 2


# ------------------------------------------------------------- all the solvers


@pytest.mark.parametrize("solver", SOLVERS)
def test_shapes_signs_and_gap(fits, cells, solver):
    m = fits[solver]
    assert m.loadings_.shape == (250, 10)
    assert m.weights_.shape == (60, 10)
    assert list(m.terms_["kind"]) == ["annotated"] * 8 + ["sparse", "dense"]
    assert m.loadings_.index.equals(cells.obs_names)
    sums = (m.weights_.to_numpy()[:, :8] * cells.varm["annotations"]).sum(0)
    assert (sums >= 0).all()
    assert (m.weights_.to_numpy()[:, 8:].sum(0) >= 0).all()
    assert m.gap_ >= -1e-6 * m.history_["F"].iloc[-1]
    assert (m.gap_ > 1) == (solver != "exact")  # two epochs do not make a best encoder
    assert np.allclose(m.terms_["relevance"], np.linalg.norm(m.weights_, axis=0))


@pytest.mark.parametrize("solver", SOLVERS)
def test_terms_table_names_genes(fits, cells, solver):
    m = fits[solver]
    term = m.terms_.index[m.terms_["active"]][0]
    k = m.terms_.index.get_loc(term)
    on, known = m.weights_[term].to_numpy() != 0, cells.varm["annotations"][:, k] > 0
    assert m.terms_.loc[term, "genes_added"].split() == list(cells.var_names[on & ~known])
    assert m.terms_.loc[term, "genes_removed"].split() == list(cells.var_names[~on & known])


@pytest.mark.parametrize("solver", SOLVERS)
def test_same_history_columns(fits, solver):
    assert list(fits[solver].history_.columns) == list(fits["exact"].history_.columns)
    assert fits[solver].history_["seconds"].is_monotonic_increasing


@pytest.mark.parametrize("solver", SOLVERS)
def test_save_and_load(fits, cells, solver, tmp_path):
    fits[solver].save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5")
    assert np.array_equal(back.weights_, fits[solver].weights_)
    assert np.allclose(back.transform(cells), fits[solver].loadings_, atol=1e-5)
    assert back.lambdas_ == fits[solver].lambdas_
    assert back.gap_ == fits[solver].gap_
    assert list(tmp_path.iterdir()) == [tmp_path / "model.h5"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_dense_and_backed_agree(cells, solver, tmp_path):
    dense = cells.copy()
    dense.X = np.where(dense.X > 2, dense.X, 0).astype(np.float32)
    thin = dense.copy()
    thin.X = sparse.csr_matrix(dense.X)
    one = model(solver).fit(dense)
    versions = [thin]
    for name, data in (("dense", dense), ("thin", thin)):
        data.write_h5ad(tmp_path / f"{name}.h5ad")
        versions.append(anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r"))
    for data in versions:
        other = model(solver).fit(data)
        assert np.allclose(one.weights_, other.weights_, atol=1e-5)
        assert np.allclose(one.loadings_, other.loadings_, atol=1e-4)
        assert np.allclose(one.transform(data[:50]), other.loadings_[:50], atol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_new_cells_are_matched_by_gene_name(fits, cells, solver):
    m = fits[solver]
    shuffled = cells[:40, np.random.default_rng(0).permutation(60)].copy()
    assert np.allclose(m.transform(shuffled), m.loadings_[:40], atol=1e-5)
    with pytest.raises(ValueError, match="2 of the model's 60 genes"):
        m.transform(cells[:, 2:].copy())


@pytest.mark.parametrize("solver", ["adam", "proximal"])
def test_the_seed_decides_everything(cells, solver):
    torch.manual_seed(99)
    state = torch.get_rng_state()
    first = model(solver, epochs=1, seed=4).fit(cells)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    again, other = (model(solver, epochs=1, seed=s).fit(cells) for s in (4, 5))
    assert np.array_equal(first.weights_, again.weights_)
    assert np.array_equal(first.loadings_, again.loadings_)
    assert not np.allclose(first.loadings_, other.loadings_)


def test_exact_draws_nothing(cells):
    assert np.array_equal(model(seed=1).fit(cells).weights_, model(seed=2).fit(cells).weights_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_covariates_act_additively(cells, solver):
    data = cells.copy()
    data.obs["depth"] = np.random.default_rng(0).normal(10, 3, data.n_obs)
    shift = np.random.default_rng(1).normal(size=60)
    second = (data.obs["batch"] == "batch_2").to_numpy()
    data.X = (data.X + 3 * second[:, None] * shift + 0.1 * data.obs[["depth"]].to_numpy()).astype(
        np.float32
    )
    m = model(solver, covariates=["batch", "depth"]).fit(data)
    assert m.gap_ >= -1e-6 * m.history_["F"].iloc[-1]
    assert np.corrcoef(m.effects_[:, 0], 3 * shift)[0, 1] > 0.9
    if solver == "exact":  # the batch is gone from the loadings
        Z = m.loadings_.to_numpy()[:, m.terms_["active"]]
        assert abs(Z[second].mean(0) - Z[~second].mean(0)).max() < 1e-6
        with pytest.raises(ValueError, match="not in the training cells"):
            new = data[:5].copy()
            new.obs["batch"] = "batch_9"
            m.transform(new)
    else:  # equation 2 to the letter: f sees Y alone, and the covariates are added
        flipped = data.copy()
        flipped.obs["batch"] = np.where(second, "batch_1", "batch_2")
        change = (m.reconstruct(flipped) - m.reconstruct(data)).to_numpy()
        assert np.allclose(change, np.where(second, -1, 1)[:, None] * m.effects_[:, 0])


def test_covariates_are_the_least_squares_of_the_whole(cells):
    """With covariates, F* equals equation 3 at the residuals, and no other effect does better."""
    m = model(covariates=["batch"]).fit(cells)
    W = m.weights_.to_numpy()
    Y = cells.X - m.mean_
    X = (cells.obs["batch"] == "batch_2").to_numpy()[:, None] - m.covariate_mean_

    def height(effects):
        left = Y - X @ effects.T
        return data_term(left, left @ best_encoder(W, 0.1), W, 0.1)

    assert height(m.effects_) == pytest.approx(m.history_["F"].iloc[-1], rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert height(m.effects_ + 0.05 * rng.normal(size=m.effects_.shape)) > height(m.effects_)


def test_covariates_that_repeat_each_other_are_refused(cells):
    data = cells.copy()
    data.obs["again"] = data.obs["batch"]
    with pytest.raises(ValueError, match="repeat each other"):
        model(covariates=["batch", "again"]).fit(data)


def test_last_batch_of_one_cell(cells):
    m = model("adam", batch_size=83, epochs=1).fit(cells)  # 250 = 3 x 83 + 1
    assert np.isfinite(m.loadings_.to_numpy()).all()


def test_adam_is_the_published_step(cells):
    """After a batch: Adam at the learning rate, then thresholds of learning rate x lambda."""
    lambdas = dict(lambda0=0.1, lambda1=0.93, lambda2=0.43, lambda3=0.57)
    m = model("adam", epochs=1, **lambdas).fit(cells)
    assert {k: m.lambdas_[k] for k in lambdas} == lambdas
    defaults = model("adam", epochs=1).fit(cells)
    assert {k: defaults.lambdas_[k] for k in lambdas} == lambdas
    # Adam moves a weight by at most about the learning rate a batch, the maps by lr x lambda:
    # so 5 batches of lr 1e-3 cannot take an entry outside its set to zero unless it was that near
    W = m.weights_.to_numpy()
    off = cells.varm["annotations"] == 0
    start = 1 / np.sqrt(8)
    share = (W[off] == 0).mean()
    near = 5 * 1e-3 * (1 + 0.93 + 0.57) / start  # in standard deviations of the start
    assert 0 < share < 2 * near


@pytest.mark.parametrize("solver", ["exact", "proximal"])
def test_terms_go_off(cells, solver):
    m = model(solver, lambda1=0.5, lambda3=3.0, epochs=5).fit(cells)
    off = ~m.terms_["active"].to_numpy()
    assert 0 < off.sum() < 8
    assert (m.weights_.to_numpy()[:, off] == 0).all()
    assert m.history_["n_deactivated"].iloc[-1] == off.sum()


def test_a_penalty_on_annotated_genes_drops_some(cells):
    plain = model(n_dense=0, lambda1=0.5, lambda3=0.6).fit(cells)
    strict = model(n_dense=0, lambda1=0.5, lambda3=0.6, annotated_share=0.5).fit(cells)
    assert strict.lambdas_["lambda_annotated"] == 0.25
    assert (plain.terms_["genes_removed"] == "").all()
    assert (strict.terms_.loc[strict.terms_["active"], "genes_removed"] != "").any()


# ------------------------------------------------------- necessity and the path


def test_necessity_finds_the_stand_in(cells):
    """Of two terms with the same genes, one stands in for the other at no cost."""
    twin, lambdas = cells.copy(), dict(n_dense=0, lambda1=0.5, lambda3=3.0)
    fit = model(**lambdas).fit(cells)
    best = fit.terms_["relevance"].idxmax()
    copied = cells.varm["annotations"][:, [fit.terms_.index.get_loc(best)]]
    twin.varm["annotations"] = np.hstack([cells.varm["annotations"], copied])
    twin.uns["terms"] = np.append(cells.uns["terms"], "TWIN").astype(object)
    table = model(**lambdas).fit(twin).necessity()
    name, other = (best, "TWIN") if best in table.index else ("TWIN", best)
    assert abs(table.loc[name, "rise"]) < 1e-3
    assert table.loc[name, "stand_ins"].split()[0] == other
    assert table.loc[name, "stand_in_r"] > 0.99
    assert table["rise"].max() > 0.1


def test_necessity_of_a_loaded_model_needs_the_data(fits, cells, tmp_path):
    fits["exact"].save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="necessity\\(adata\\)"):
        back.necessity()
    assert np.allclose(back.necessity(cells)["rise"], fits["exact"].necessity()["rise"], atol=1e-6)


def test_path_goes_from_nothing_to_more(cells):
    train, other = cells[::2].copy(), cells[1::2].copy()
    table = model().path(train, [0.05, 1.0, 0.3], held_out=other)
    assert list(table["fraction"]) == [1.0, 0.3, 0.05]
    assert table["n_active"].iloc[0] == 0
    assert table["n_active"].is_monotonic_increasing
    assert table["objective"].is_monotonic_decreasing
    assert table["held_out"].iloc[-1] > table["held_out"].iloc[1] > 0
    assert table["converged"].all()
    with pytest.raises(ValueError, match="fractions"):
        model().path(train, [0.5, 2.0])


# -------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"solver": "magic"}, "solver='magic'"),
        ({"n_dense": -1}, "n_dense"),
        ({"annotated_share": 1}, "annotated_share"),
        ({"lambda0": 0.0}, "lambda0"),
        ({"lambda1": -1.0}, "lambda1"),
        ({"covariates": "batch"}, r"\['batch'\]"),
        ({"covariates": ["lane"]}, "'lane'"),
        ({"weighting": "heavy"}, "weighting"),
        ({"solver": "adam", "device": "toaster"}, "device 'toaster'"),
    ],
)
def test_mistakes_are_named(cells, kwargs, message):
    with pytest.raises(ValueError, match=message):
        model(**kwargs).fit(cells)


def test_unfitted_models_say_so(cells):
    with pytest.raises(intae.model.NotFittedError, match="fit"):
        model().transform(cells)


# ------------------------------------------------------------------- real data


def test_kang17_subset():
    raw = anndata.read_h5ad(mirror_file("kang17_subset.h5ad"))
    raw = raw[raw.obs["multiplets"] == "singlet"].copy()
    data = intae.prepare(raw, mirror_file("c2.cp.reactome.v4.0.symbols.gmt"))
    fit = model(lambda0=0.1, lambda1=0.93, lambda2=0.43, lambda3=0.57).fit(data)
    last = fit.history_.iloc[-1]
    assert last["objective"] <= 53.07
    assert last["certificate"] <= 1e-4


# ----------------------------------------------------------------- confounders


@pytest.fixture(scope="module")
def confounded():
    return simulate(600, 200, 20, n_active=5, n_dense=1, dense_strength=0.6, seed=0)


def test_a_confounder_in_a_gene_set_is_told_of(confounded, caplog):
    with caplog.at_level("WARNING", logger="intae"):
        model(n_dense=0).fit(confounded)
    assert "try n_dense=1" in caplog.text
    caplog.clear()
    with caplog.at_level("WARNING", logger="intae"):
        model(n_dense=1).fit(confounded)
    assert "n_dense" not in caplog.text


@pytest.mark.parametrize("solver", ["exact", "proximal"])
def test_a_confounder_gets_a_dense_term_by_itself(confounded, solver):
    fit = model(solver).fit(confounded)
    assert list(fit.terms_.index[fit.terms_["kind"] == "dense"]) == ["dense_1"]
    truth = confounded.obsm["true_loadings"][:, -1]
    assert abs(np.corrcoef(fit.loadings_["dense_1"], truth)[0, 1]) > 0.9
    given = model(solver, n_dense=1).fit(confounded)
    assert np.array_equal(fit.weights_, given.weights_)


def test_a_chosen_dense_term_is_kept_in_the_file(confounded, tmp_path):
    fit = model().fit(confounded)
    fit.save(tmp_path / "model.h5")
    back = Autoencoder.load(tmp_path / "model.h5")
    assert back.n_dense is None and back.terms_.loc["dense_1", "kind"] == "dense"
    assert np.allclose(back.transform(confounded), fit.loadings_, atol=1e-10)
    assert np.allclose(back.necessity(confounded)["rise"], fit.necessity()["rise"], atol=1e-6)


def test_no_confounder_no_dense_term():
    cells = simulate(600, 200, 20, n_active=5, n_dense=0, seed=0)
    fit = model().fit(cells)
    assert (fit.terms_["kind"] == "annotated").all()
    assert np.array_equal(fit.weights_, model(n_dense=0).fit(cells).weights_)


def test_the_published_algorithm_chooses_no_dense_term(confounded):
    assert (model("adam").fit(confounded).terms_["kind"] == "annotated").all()


def test_the_path_has_the_dense_terms_of_the_fit(confounded):
    chosen = model().path(confounded, [0.5, 0.1])
    given = model(n_dense=1).path(confounded, [0.5, 0.1])
    assert np.allclose(chosen["objective"], given["objective"], rtol=1e-9)


def test_share_taking_part():
    """All genes alike: 1; one gene alone: 1 / G; normal weights: 2 / pi; sd is divided out."""
    rng = np.random.default_rng(0)
    sd = rng.uniform(0.1, 3, 4000)
    one = np.zeros(4000)
    one[7] = 2.0
    W = np.column_stack([sd, one, sd * rng.standard_normal(4000)])
    assert share_taking_part(W, sd) == pytest.approx([1, 1 / 4000, 2 / np.pi], rel=0.03)
    still = np.append(sd, 0), np.vstack([W, np.zeros(3)])  # a gene that does not vary
    assert share_taking_part(*still[::-1]) == pytest.approx(share_taking_part(W, sd))


def test_a_factor_of_some_genes_is_no_confounder():
    """The set of all genes names a factor of half the genes, too, but it is not dense enough."""
    rng = np.random.default_rng(1)
    plain = simulate(600, 200, 20, n_active=5, n_dense=0, seed=0)
    shift = np.zeros(200)
    shift[rng.permutation(200)[:100]] = rng.uniform(0.5, 1.0, 100)
    plain.X = np.asarray(plain.X) + np.outer(rng.standard_normal(600), shift).astype(np.float32)
    fit = model(n_dense=0).fit(plain)
    known = fit._problem, fit.annotations_, fit._set_weights, fit.lambdas_
    options = dict(tol=1e-2, max_iter=1000)
    assert find_confounders(*known, **options, least_share=0.0).shape == (200, 1)
    assert find_confounders(*known, **options).shape == (200, 0)
    assert not sets_are_blurred(fit.weights_.to_numpy(), fit.annotations_)
    assert model().fit(plain).weights_.equals(fit.weights_)
