"""Equation 3, and the solver that minimises it from second moments."""

import numpy as np
import pytest
from autoencoders import model
from scipy.sparse.linalg import ArpackNoConvergence

from intae import simulate
from intae.autoencoder import exact, moves
from intae.autoencoder.descent import descend, step_lengths
from intae.autoencoder.lambdas import lambda_max, size_weights
from intae.autoencoder.moves import (
    Candidates,
    evidence,
    factor_targets,
    leading_direction,
    name_gains,
    rename,
    second_look,
    try_term,
)
from intae.autoencoder.objective import (
    Problem,
    annotation_start,
    best_data_term,
    best_encoder,
    best_loadings,
    data_term,
)
from intae.autoencoder.penalties import Penalty, column_norms
from intae.prepared import second_moments

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def problem(cells):
    return Problem(second_moments(cells.X).covariance, 0.1)


@pytest.fixture(scope="module")
def penalty(cells):
    I = cells.varm["annotations"].astype(float)
    return Penalty.build(I, np.array(["annotated"] * 8), 0.5, 0.4, 0.6)


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


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 1.0])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_product_with_s_is_the_same_however_many_entries_are_zero(problem, share, order):
    rng = np.random.default_rng(2)
    W = rng.normal(size=(60, 7)) * (rng.random((60, 7)) < share)
    product = problem.times(np.asarray(W, order=order))
    np.testing.assert_allclose(product, problem.S @ W, atol=1e-12)


def same_point(one, other):
    assert np.array_equal(one.on, other.on)
    for name in ("W", "W_on", "SW"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-12)
    for name in ("YZ", "ZZ"):
        ours, theirs = (getattr(point.best, name) for point in (one, other))
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert one.data_term == pytest.approx(other.data_term, rel=1e-12)


def test_points_that_are_made_of_others_are_those_of_their_weights(problem, penalty):
    rng = np.random.default_rng(3)
    W = rng.normal(size=(60, 8))
    W[:, [1, 4, 7]] = 0
    here, column = problem.at(W), np.where(rng.random(60) < 0.2, 1.0, 0.0)
    assert list(here.on) == [0, 2, 3, 5, 6]
    assert here.objective(penalty) == pytest.approx(
        best_data_term(problem.S, W, 0.1) + penalty.value(W), rel=1e-12
    )
    assert not here.gradient()[:, [1, 4, 7]].any()
    for term in (1, 4, 7):
        wider = W.copy()
        wider[:, term] = column
        same_point(here.with_column(term, column), problem.at(wider))
    before = problem.at(W * rng.normal(size=8))
    same_point(here.beyond(before, 0.7), problem.at(here.W + 0.7 * (here.W - before.W)))
    fewer = problem.at(np.where(np.arange(8) == 2, 0, W))
    same_point(here.beyond(fewer, 0.7), problem.at(here.W + 0.7 * (here.W - fewer.W)))
    for stay in (np.arange(8) != 3, here.W.any(0), np.arange(8) == 4):
        same_point(here.take(stay), problem.at(W[:, stay]))


def test_gradient_against_differences(problem):
    rng = np.random.default_rng(2)
    W, D = rng.normal(size=(2, 60, 5))
    ends = [best_data_term(problem.S, W + h * D, 0.1) for h in (1e-5, -1e-5)]
    assert np.vdot(problem.at(W).gradient(), D) == pytest.approx(
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


def test_steps_that_are_too_long_do_not_cost_the_momentum(cells, penalty):
    """A small l0 makes W badly scaled: this took more than 20,000 steps."""
    I = cells.varm["annotations"].astype(float)
    problem = Problem(second_moments(cells.X).covariance, 0.01)
    _, converged, steps = descend(
        problem, penalty, annotation_start(problem.S, I, 8), tol=1e-5, max_iter=1000
    )
    assert converged
    assert steps < 500


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


def test_leading_direction_where_lanczos_does_not_converge(monkeypatch):
    def never(E, **kwargs):
        raise ArpackNoConvergence("no convergence", np.empty(0), np.empty((len(E), 0)))

    X = np.random.default_rng(0).standard_normal((60, 50))
    expected, v = leading_direction(X.T @ X)
    monkeypatch.setattr(moves, "eigsh", never)
    value, u = leading_direction(X.T @ X)
    assert value == pytest.approx(expected)
    assert abs(u @ v) == pytest.approx(1)


def test_a_wrong_name_is_put_right(cells, problem):
    """A term's weights under another term's name go back, and F + R falls."""
    fit = model(n_dense=0, lambda1=0.5, lambda3=3.0).fit(cells)
    penalty = fit._penalty_of(0.5, 0.0, 3.0)
    fitted = fit.weights_.to_numpy()
    right, wrong = np.flatnonzero(column_norms(fitted))[0], np.flatnonzero(~fitted.any(0))[0]
    W = fitted.copy()
    W[:, [right, wrong]] = W[:, [wrong, right]]
    here = problem.at(W)
    renamed, n_moves = rename(here, penalty, np.zeros(8, dtype=bool))
    assert n_moves >= 1
    assert (renamed.W[:, right] != 0).any()
    assert (renamed.W[:, wrong] == 0).all()
    assert renamed.data_term + penalty.value(renamed.W) < here.data_term + penalty.value(W)
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
