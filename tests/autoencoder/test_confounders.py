"""Confounders, and the dense terms that keep them out of the gene sets."""

import numpy as np
import pytest
from autoencoders import model

from intae import Autoencoder, simulate
from intae.autoencoder.confounders import (
    find_confounders,
    sets_are_blurred,
    share_taking_part,
)

pytestmark = pytest.mark.usefixtures("one_thread")


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
