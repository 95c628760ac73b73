"""A factor of f-scLVM goes on under another name where the bound rises."""

import copy
import dataclasses
import itertools

import numpy as np
import pytest

import intae
from intae.fsclvm.engine import BoundRule, Layout, climb, iterate
from intae.fsclvm.moves import _update, rename
from intae.fsclvm.starts import annotation_starts
from intae.fsclvm.updates import elbo, sweep

N, G = 600, 60
STATE = ("C", "W", "E2", "CW", "A", "XS", "SS", "alpha", "d", "on")
SMALL, LARGE, OTHER = range(3)


@pytest.fixture
def start():
    """The small set varies, the large one that holds it does not; another set varies by itself."""
    rng = np.random.default_rng(0)
    sets = np.zeros((G, 3))
    sets[:12, SMALL] = sets[:30, LARGE] = sets[40:55, OTHER] = 1
    S, W = rng.normal(size=(N, 3)), sets * rng.normal(size=sets.shape)
    W[:, LARGE] = 0
    Y = S @ W.T + 0.5 * rng.normal(size=(N, G))
    none = np.zeros((N, 0))
    return next(annotation_starts(Y, sets, none, Layout(0, 0, 0, 3), 1, 0, unit=True))


def put(start, wrong, right):
    """Fit with one set's name held back, so that its factor goes by the other's."""
    q = start.q
    q.W[:, right] = q.CW[:, right] = q.A[:, right] = 0
    q.E2[:, right] = 1  # alpha is 1: as the prior has it
    q.refresh(start.problem)
    order = np.array([k for k in range(3) if k != right])
    for _ in range(40):
        sweep(start.problem, q, order)
    size = (q.CW**2).sum(0)
    assert size[wrong] > 1 and size[right] == 0
    return q


def test_a_factor_gets_the_name_of_the_set_that_it_is(start):
    q = put(start, wrong=LARGE, right=SMALL)
    bound, loadings = elbo(start.problem, q), q.A[:, LARGE].copy()
    held = {name: getattr(q, name)[..., OTHER].copy() for name in ("C", "W", "A")}
    assert rename(start.problem, q, 0) == 1
    assert elbo(start.problem, q) > bound + 10
    np.testing.assert_array_equal(q.A[:, SMALL], loadings)  # the same factor
    assert (q.CW[:, LARGE] ** 2).sum() < 1e-3
    for name, before in held.items():
        np.testing.assert_array_equal(getattr(q, name)[..., OTHER], before)
    XS, SS = q.XS.copy(), q.SS.copy()
    q.refresh(start.problem)  # what it keeps of S is still right
    np.testing.assert_allclose(q.XS, XS, atol=1e-6 * abs(XS).max())
    np.testing.assert_allclose(q.SS, SS, atol=1e-6 * abs(SS).max())


def test_a_factor_under_its_own_name_stays_as_it_is(start):
    q = put(start, wrong=SMALL, right=LARGE)
    before = copy.deepcopy(q)
    assert rename(start.problem, q, 0) == 0
    for name in STATE:
        np.testing.assert_array_equal(getattr(q, name), getattr(before, name))


def test_the_gain_of_a_name_is_that_of_the_bound(start):
    """Against the bound of the same factor, updated under each name's prior."""
    q = put(start, wrong=LARGE, right=SMALL)
    h, W, E2 = _update(start.problem, q, LARGE)
    bounds, brings = [], []
    for k in (SMALL, LARGE, OTHER):
        odds = start.problem.log_odds.copy()
        odds[:, LARGE] = start.problem.log_odds[:, k]
        problem = dataclasses.replace(start.problem, log_odds=odds)
        there = copy.deepcopy(q)
        C = 1 / (1 + np.exp(-odds[:, LARGE] - h))
        for name, column in (("C", C), ("W", W), ("E2", E2), ("CW", C * W)):
            getattr(there, name)[:, LARGE] = column
        bounds.append(elbo(problem, there))
        o = odds[:, LARGE]
        brings.append((np.logaddexp(0, o + h) - np.logaddexp(0, o)).sum())
    np.testing.assert_allclose(np.diff(bounds), np.diff(brings), rtol=1e-6)


def test_a_climb_ends_higher_than_sweeps_alone(start):
    q = put(start, wrong=LARGE, right=SMALL)
    alone, orders = copy.deepcopy(q), itertools.repeat(start.order)
    history, converged = iterate(start.problem, alone, orders, BoundRule(1e-8), 1000)
    told, climbed = climb(start.problem, q, orders, 1e-8, 1000, 0)
    assert converged and climbed
    assert len(told) > len(history)  # it went on under the other name
    assert elbo(start.problem, q) > elbo(start.problem, alone) + 10
    assert told["elbo"].dropna().is_monotonic_increasing
    assert told["seconds"].is_monotonic_increasing
    assert list(told["iteration"]) == list(range(41, 41 + len(told)))
    short, ended = climb(start.problem, q, orders, 0.0, 7, 0)
    assert len(short) == 7 and not ended


def test_gene_sets_are_read_as_by_the_autoencoder():
    data = intae.simulate(400, 110, 8, n_active=3, n_dense=1, seed=2)
    ours, theirs = (model.fit(data) for model in (intae.FSCLVM(n_dense=1), intae.Autoencoder()))
    terms = list(data.uns["terms"])
    for z in ("loadings_", "transform"):
        one, other = (
            getattr(m, z) if z == "loadings_" else getattr(m, z)(data) for m in (ours, theirs)
        )
        np.testing.assert_allclose(one[terms], other[terms], atol=1e-5)
