"""Reading gene sets against a background: equations, certificate, marker sets, and calls."""

import numpy as np
import pytest
from scipy import stats

import intae
from intae.errors import IntaeError
from intae.readout import (
    Background,
    chance_of_hits,
    coherence,
    false_discovery_rates,
    read_sets,
    unit_variance,
)

N, G, SETS = 1500, 400, 12


def cells(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells x genes, sets and activities: cell types over all genes, six sets that move."""
    rng = np.random.default_rng(seed)
    sets = np.zeros((G, SETS))
    for k in range(SETS):
        sets[rng.choice(G, 14, replace=False), k] = 1
    kinds = 2 * rng.normal(size=(N, 3)) @ rng.normal(size=(3, G))
    activity = rng.normal(size=(N, 6))
    Y = kinds + 0.6 * activity @ sets[:, :6].T + rng.normal(size=(N, G))
    return Y * rng.uniform(0.5, 3, G), sets, activity


def correlations(Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left = Y - Y.mean(0)
    C, scale = unit_variance(left.T @ left / len(Y))
    return C, left / scale


def test_background_is_the_residual_of_equation_3():
    """With W W' = C and l0 = c, y - W z is P y, and E its second moment, once depth is off."""
    C, Y = correlations(cells()[0])
    P, E = Background(C).taken_off(7.0)
    np.testing.assert_allclose((Y @ P.T).T @ Y.sum(1), 0, atol=1e-6)
    depth = Y.sum(1, keepdims=True)
    raw, Y = Y, Y - depth @ (depth.T @ Y) / (depth.T @ depth)
    values, V = np.linalg.eigh(Y.T @ Y / N)
    W = V * np.sqrt(np.maximum(values, 0))
    left = Y - Y @ W @ np.linalg.inv(W.T @ W + 7.0 * np.eye(G)) @ W.T
    np.testing.assert_allclose(raw @ P.T, left, atol=1e-9)
    np.testing.assert_allclose(E, left.T @ left / N, atol=1e-9)


def test_directions_are_the_minimum():
    """No other unit vector has a smaller objective; a model's own certificate says so."""
    Y, sets, _ = cells()
    C, _ = correlations(Y)
    read = read_sets(C, sets, N, background=7.0, mean_penalty=0.8)
    assert read.certificate.max() < 1e-12
    _, E = Background(C).taken_off(7.0)
    rng = np.random.default_rng(1)
    for k in np.flatnonzero(~read.marker):
        genes = np.flatnonzero(sets[:, k])
        B, m = E[np.ix_(genes, genes)], np.full(len(genes), len(genes) ** -0.5)
        s = np.trace(B) / len(genes)

        def objective(u, B=B, m=m, s=s):
            return np.trace(B) - u @ B @ u + 0.8 * s * (1 - (m @ u) ** 2)

        u = read.directions[genes, k]
        assert u @ m > 0
        for _ in range(20):
            other = u + 0.3 * rng.normal(size=len(u))
            assert objective(u) < objective(other / np.linalg.norm(other))


def test_reads_activities_that_a_plain_mean_mixes_with_cell_types():
    Y, sets, activity = cells()
    C, y = correlations(Y)
    Z, plain = y @ read_sets(C, sets, N).weights, y @ sets
    np.testing.assert_allclose(Z.std(0), 1, rtol=1e-6)
    r = [abs(np.corrcoef(Z[:, k], activity[:, k])[0, 1]) for k in range(6)]
    of_mean = [abs(np.corrcoef(plain[:, k], activity[:, k])[0, 1]) for k in range(6)]
    assert np.mean(r) > np.mean(of_mean) + 0.1


def test_follows_no_depth():
    """What shifts all genes alike moves a set's mean, and not its read-out."""
    Y, sets, _ = cells()
    depth = np.random.default_rng(3).normal(size=N)
    C, y = correlations(Y + 0.5 * depth[:, None] * Y.std(0))
    r = [abs(np.corrcoef(z, depth)[0, 1]) for z in (y @ read_sets(C, sets, N).weights).T]
    of_means = [abs(np.corrcoef(z, depth)[0, 1]) for z in (y @ sets).T]
    assert max(r) < 0.1 < min(of_means)


def test_finds_sets_whose_genes_move_together():
    """And of sets drawn at random, without cell types, hardly any."""
    Y, sets, _ = cells()
    rng = np.random.default_rng(5)
    C, _ = correlations(Y)
    q = coherence(C, sets, N, Y.mean(0))
    assert (q[:6] <= 0.05).sum() >= 5
    np.testing.assert_array_equal(q, coherence(C, sets, N, Y.mean(0)))  # the seed decides
    noise = rng.normal(size=(N, G)) + 0.3 * rng.normal(size=(N, 1))
    C, _ = correlations(noise)
    assert (coherence(C, sets, N, noise.mean(0)) <= 0.05).sum() <= 1


def test_marker_set_is_read_by_its_leading_direction():
    """Nine of its genes name a variation that three others share; other sets are noise."""
    rng = np.random.default_rng(2)
    kind = (rng.random(N) < 0.2).astype(float)
    Y = rng.normal(size=(N, 1200))
    Y[:, :12] += 2.5 * kind[:, None]
    sets = np.zeros((1200, 20))
    sets[:9, 0] = sets[100:106, 0] = 1  # three of the twelve genes lie outside
    for k in range(1, 20):
        sets[rng.choice(np.arange(12, 1200), 20, replace=False), k] = 1
    C, y = correlations(Y)
    read = read_sets(C, sets, N)
    assert list(np.flatnonzero(read.marker)) == [0]
    z = y @ read.weights
    assert abs(np.corrcoef(z[:, 0], kind)[0, 1]) > 0.9


def test_constant_gene_counts_for_nothing():
    Y, sets, _ = cells()
    Y[:, 0] = 2.0
    C, scale = unit_variance(np.cov(Y.T, bias=True))
    read = read_sets(C, sets, N)
    assert np.isfinite(read.weights / scale[:, None]).all()
    assert np.isfinite(coherence(C, sets, N, Y.mean(0))).all()


def test_set_of_all_genes_is_read_as_it_is():
    Y, sets, _ = cells()
    sets[:, 0] = 1
    C, y = correlations(Y)
    z = y @ read_sets(C, sets, N, mean_penalty=1e6).weights
    np.testing.assert_allclose(z.std(0), 1)
    assert np.corrcoef(z[:, 0], y.sum(1))[0, 1] == pytest.approx(1)


@pytest.fixture(scope="module")
def prepared():
    return intae.simulate(600, 120, 10, n_active=4, seed=3)


def test_autoencoder_reads_every_set_and_keeps_its_encoder(prepared):
    model = intae.Autoencoder(threads=1).fit(prepared)
    paper = intae.Autoencoder(readout="encoder", threads=1).fit(prepared)
    terms = list(prepared.uns["terms"])
    off = model.terms_.index[~model.terms_["active"]]
    assert len(off) and (model.loadings_[off].std() > 0.9).all()
    assert (paper.loadings_[off] == 0).all(axis=None)
    np.testing.assert_array_equal(model.weights_, paper.weights_)  # F + R is the same
    np.testing.assert_allclose(model.encode(prepared), paper.loadings_, atol=1e-12)
    np.testing.assert_allclose(model.reconstruct(prepared), paper.reconstruct(prepared))
    np.testing.assert_allclose(model.transform(prepared), model.loadings_, atol=1e-9)
    assert model.terms_["q_value"].between(0, 1).all()
    assert model.terms_.loc[terms, "specific"].between(0, 1).all()
    assert paper.terms_["specific"].isna().all()
    assert model.terms_.loc[terms, "detected"].equals(model.terms_.loc[terms, "q_value"] <= 0.05)


def test_a_set_inside_a_larger_response_is_not_specific():
    """80 genes rise and 80 fall in half of the cells; set 0 lies in it, with some of its own."""
    rng = np.random.default_rng(5)
    response, own = rng.random(N) < 0.5, rng.normal(size=N)
    Y = rng.normal(size=(N, G))
    Y[:, :80] += 2.0 * response[:, None]
    Y[:, 80:160] -= 2.0 * response[:, None]
    Y[:, [*range(8), *range(200, 210)]] += 0.8 * own[:, None]
    sets = np.zeros((G, 2))
    sets[:8, 0] = sets[200:210, 1] = 1
    C, y = correlations(Y)
    read = read_sets(C, sets, N)
    with_all = y @ read_sets(C, sets, N, background=np.inf).weights
    z = y @ read.weights
    for k in range(2):
        r = abs(np.corrcoef(z[:, k], with_all[:, k])[0, 1])
        assert read.specific[k] == pytest.approx(r, abs=1e-6)
    assert read.specific[0] < 0.8 < 0.95 < read.specific[1]


def test_saved_model_reads_the_same(prepared, tmp_path):
    model = intae.Autoencoder(n_dense=1, threads=1).fit(prepared)
    model.save(tmp_path / "model.h5")
    other = intae.Autoencoder.load(tmp_path / "model.h5")
    np.testing.assert_array_equal(other.transform(prepared), model.transform(prepared))


@pytest.mark.parametrize(
    ("argument", "value"), [("readout", "mean"), ("background", 0), ("mean_penalty", -1.0)]
)
def test_refuses_arguments_by_name(prepared, argument, value):
    with pytest.raises(IntaeError, match=argument):
        intae.Autoencoder(**{argument: value}).fit(prepared)


def test_rates_and_chances_are_those_of_scipy():
    rng = np.random.default_rng(0)
    p = np.r_[rng.random(60) ** 4, 0.0, 1.0, 0.3, 0.3]
    np.testing.assert_allclose(false_discovery_rates(p), stats.false_discovery_control(p))
    sizes = rng.integers(3, 200, 50)
    for top in (5, 50):
        hits = rng.integers(0, np.minimum(top, sizes) + 1)
        chance = stats.hypergeom.sf(hits - 1, 300, sizes, top)
        np.testing.assert_allclose(chance_of_hits(hits, 300, sizes, top), chance, rtol=1e-9)
