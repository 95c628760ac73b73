"""The proximal maps against their definition (equation 8), and what theory promises of them."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from intae.autoencoder.penalties import (
    Penalty,
    column_norms,
    shrink_columns,
    soft_threshold,
)

KINDS = np.array(["annotated", "annotated", "sparse", "dense"])


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def make_penalty(rng, l1=0.4, l2=0.3, l3=0.5, n_genes=6, **kwargs):
    annotations = (rng.random((n_genes, 2)) < 0.5).astype(float)
    annotations[0] = 1
    return Penalty.build(annotations, KINDS, l1, l2, l3, **kwargs), annotations


def test_value_is_equations_4_to_6(rng):
    penalty, I = make_penalty(rng)
    W = rng.normal(size=(6, 4))
    by_hand = 0.4 * np.abs(W[:, :2] * (1 - I)).sum() + 0.3 * np.abs(W[:, 2]).sum()
    by_hand += 0.5 * sum(np.linalg.norm(W[:, k]) for k in range(4))
    assert penalty.value(W) == pytest.approx(by_hand)
    assert sum(penalty.parts(W).values()) == pytest.approx(by_hand)


@pytest.mark.parametrize("lambda_annotated", [0.0, 0.2])
@pytest.mark.parametrize("step", [0.1, 0.7])
def test_prox_minimises_its_definition(rng, step, lambda_annotated):
    weights = np.array([0.5, 2.0, 1.0, 1.0])
    penalty, _ = make_penalty(rng, lambda_annotated=lambda_annotated, group_weights=weights)
    V = rng.normal(size=(6, 4))
    L = penalty.prox(V, step)

    def definition(flat):
        X = flat.reshape(V.shape)
        return ((X - V) ** 2).sum() / 2 + step * penalty.value(X)

    at_prox = definition(L.ravel())
    found = minimize(definition, V.ravel(), method="Powell", options={"xtol": 1e-9, "ftol": 1e-12})
    assert at_prox <= found.fun + 1e-9
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(200):
            assert definition((L + size * rng.normal(size=L.shape)).ravel()) >= at_prox
    # and its optimality, exactly: V - L lies in step * the subdifferential at L
    assert penalty.subdiff_distance(L, (L - V) / step).max() < 1e-12


def test_prox_takes_a_step_for_each_term(rng):
    penalty, _ = make_penalty(rng)
    V, steps = rng.normal(size=(6, 4)), np.array([0.1, 0.2, 0.4, 0.8])
    together = penalty.prox(V, steps)
    for k, step in enumerate(steps):
        assert np.array_equal(together[:, [k]], penalty.take([k]).prox(V[:, [k]], step))


def test_soft_threshold_has_its_three_branches():
    got = soft_threshold(np.array([3.0, 1.0, 0.5, -0.5, -1.0, -3.0]), 1.0)
    assert np.array_equal(got, [2.0, 0.0, 0.0, 0.0, 0.0, -2.0])


def test_prox_is_firmly_nonexpansive(rng):
    penalty, _ = make_penalty(rng)
    for _ in range(300):
        A, B = rng.normal(size=(2, 6, 4)) * rng.gamma(1, size=(2, 1, 4))
        P, Q = penalty.prox(A, 0.6), penalty.prox(B, 0.6)
        assert np.vdot(P - Q, A - B) >= ((P - Q) ** 2).sum() - 1e-12


def test_prox_is_the_identity_at_lambda_zero(rng):
    penalty, _ = make_penalty(rng, 0, 0, 0)
    V = rng.normal(size=(6, 4))
    V[:, 1] = 0
    assert np.array_equal(penalty.prox(V, 0.5), V)


def test_columns_are_zero_beyond_their_threshold(rng):
    V = rng.normal(size=(6, 4))
    norms = column_norms(V)
    assert (shrink_columns(V, norms * 1.0001) == 0).all()
    assert (column_norms(shrink_columns(V, norms * 0.999)) > 0).all()


def test_zero_columns_stay_zero_without_nan(rng):
    penalty, _ = make_penalty(rng)
    V = rng.normal(size=(6, 4))
    V[:, [0, 3]] = 0
    with np.errstate(all="raise"):
        L = penalty.prox(V, 0.1)
        distance = penalty.subdiff_distance(L, np.zeros_like(L))
    assert (L[:, [0, 3]] == 0).all()
    assert np.isfinite(L).all()
    assert np.isfinite(distance).all()
    tensor = penalty.to_torch("cpu", torch.float32).prox(torch.as_tensor(V).float(), 0.1)
    assert torch.isfinite(tensor).all()
    assert (tensor[:, [0, 3]] == 0).all()


def test_torch_and_numpy_agree(rng):
    penalty, _ = make_penalty(rng)
    V = rng.normal(size=(6, 4))
    tensor = penalty.to_torch("cpu", torch.float64).prox(torch.as_tensor(V), 0.3)
    assert np.allclose(tensor.numpy(), penalty.prox(V, 0.3), atol=1e-14)


def test_prox_of_a_step_that_stays_is_prox_to_the_bit(rng):
    penalty = make_penalty(rng)[0].to_torch("cpu", torch.float32)
    in_place = penalty.prox_of_step(0.3)
    for _ in range(3):  # its own arrays keep nothing of the last call
        V = torch.as_tensor(rng.normal(size=(6, 4))).float()
        V[:, 3] *= 1e-3  # shorter than its threshold
        wanted = penalty.prox(V, 0.3)
        in_place(V)
        assert torch.equal(V, wanted) and not V[:, 3].any() and V.any()


def test_subdiff_distance_is_a_distance(rng):
    """Against the definition: the least |gradient + s| over subgradients s, at a zero column."""
    penalty, _ = make_penalty(rng)
    W, gradient = np.zeros((6, 4)), rng.normal(size=(6, 4))
    got = np.linalg.norm(penalty.subdiff_distance(W, gradient), axis=0)
    box, ball = slice(0, 6), slice(6, 12)  # where the two parts of a subgradient stand

    def least(k):
        e, g = penalty.entries[:, k], penalty.groups[k]
        found = minimize(
            lambda s: ((gradient[:, k] + s[box] + s[ball]) ** 2).sum(),
            np.zeros(12),
            bounds=[(-b, b) for b in e] + [(None, None)] * 6,
            constraints={"type": "ineq", "fun": lambda s: g**2 - (s[ball] ** 2).sum()},
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-14},
        )
        return np.sqrt(found.fun)

    assert np.allclose(got, [least(k) for k in range(4)], atol=2e-4)


@pytest.mark.parametrize("bad", [{"l1": -0.1}, {"l2": np.nan}, {"l3": np.inf}])
def test_bad_lambdas_are_refused_by_name(rng, bad):
    with pytest.raises(ValueError, match="lambda" + next(iter(bad))[1:]):
        make_penalty(rng, **bad)
