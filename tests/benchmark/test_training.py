"""One training run of a method, and gene sets shuffled where the config says so."""

import numpy as np
import pytest

import intae
from intae.benchmark.plan import Benchmark
from intae.benchmark.training import make_model, train, training_data
from intae.controls import permute_annotations
from intae.errors import ConfigError, IntaeError
from intae.prepared import get_annotations


def test_a_run_fits_to_permuted_annotations_and_says_so(simulated):
    params = {"n_dense": 1, "max_iter": 5, "permute_annotations": True}
    model, about = train(simulated, "FSCLVM", params, seed=3, threads=1)
    by_hand = intae.FSCLVM(n_dense=1, max_iter=5, seed=3).fit(permute_annotations(simulated, 3))
    np.testing.assert_allclose(model.loadings_, by_hand.loadings_, atol=1e-10)
    plain, known = train(simulated, "FSCLVM", {"n_dense": 1, "max_iter": 5}, seed=3, threads=1)
    assert np.abs(model.loadings_ - plain.loadings_).to_numpy().max() > 1e-3
    assert about["permute_annotations"] and not known["permute_annotations"]
    assert list(model.terms_.index) == list(plain.terms_.index)


def test_what_is_fitted_again_is_permuted_alike(simulated):
    params = {"method": "ulm", "permute_annotations": True}
    data = training_data(simulated, params, 1)
    half = training_data(simulated[::2], params, 1)
    np.testing.assert_array_equal(get_annotations(half), get_annotations(data))
    model = make_model("GeneSetScore", params, seed=1, threads=1).fit(data)
    np.testing.assert_array_equal(
        model.weights_, get_annotations(permute_annotations(simulated, 1))
    )


def test_unknown_models_and_parameters_are_told_of():
    with pytest.raises(IntaeError, match="no model 'Autoencodr'; did you mean 'Autoencoder'"):
        make_model("Autoencodr", {}, seed=0, threads=1)
    with pytest.raises(IntaeError, match="no parameter 'lamda1'; did you mean 'lambda1'"):
        make_model("Autoencoder", {"lamda1": 1.0}, seed=0, threads=1)


def test_slaloms_path_is_that_of_the_permuted_annotations(simulated, monkeypatch):
    from intae.benchmark import training as methods

    seen = []
    monkeypatch.setattr(methods, "project", lambda data, made: seen.append(data))
    train(simulated, "GeneSetScore", {"permute_annotations": True}, seed=2, threads=1)
    np.testing.assert_array_equal(
        get_annotations(seen[0]), get_annotations(permute_annotations(simulated, 2))
    )


CONFIG = {"datasets": {"simulated": {"source": "simulated"}}}


def methods(**entry):
    return CONFIG | {"methods": {"mine": entry}}


def test_the_config_hands_it_to_whatever_fits_the_method():
    on = Benchmark(methods(model="Autoencoder", permute_annotations=True))
    assert on.method("mine")["params"] == {"permute_annotations": True}
    assert Benchmark(methods(model="Autoencoder")).method("mine")["params"] == {}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"model": "PCA", "permute_annotations": True}, "mine: permute_annotations: PCA knows no"),
        (
            {"model": "FSCLVM", "params": {"permute_annotations": True}},
            "mine: permute_annotations: stands under params, but belongs beside it",
        ),
        (
            {"model": "GeneSetScore", "params": {"method": "aucel"}},
            "mine: params: method must be one of .*, not 'aucel'; did you mean 'aucell'",
        ),
        ({"model": "FSCLVM", "permute_annotation": True}, "did you mean 'permute_annotations'"),
    ],
)
def test_config_mistakes(entry, message):
    with pytest.raises(ConfigError, match=message):
        Benchmark(methods(**entry))
