"""Gene sets shuffled as a control."""

import numpy as np
import pytest

import intae
from intae.benchmark.plan import Benchmark
from intae.benchmark.refits import between_halves
from intae.benchmark.registry import make_model, train
from intae.controls import permute_annotations
from intae.errors import ConfigError
from intae.prepared import check_prepared, get_annotations


def test_sizes_and_overlaps_stay_and_members_change(simulated):
    known = get_annotations(simulated).astype(int)
    permuted = permute_annotations(simulated, 0)
    check_prepared(permuted)
    shuffled = get_annotations(permuted).astype(int)
    np.testing.assert_array_equal(shuffled.T @ shuffled, known.T @ known)
    assert (shuffled != known).any(0).all()
    assert list(permuted.uns["terms"]) == list(simulated.uns["terms"])
    np.testing.assert_array_equal(permuted.X, simulated.X)
    np.testing.assert_array_equal(get_annotations(simulated), known)  # the data given stay
    np.testing.assert_array_equal(get_annotations(permute_annotations(simulated, 0)), shuffled)
    assert (get_annotations(permute_annotations(simulated, 1)) != shuffled).any()


def test_a_run_fits_to_permuted_annotations_and_says_so(simulated):
    params = {"n_dense": 1, "max_iter": 5, "permute_annotations": True}
    model, about = train(simulated, "FSCLVM", params, seed=3, threads=1)
    by_hand = intae.FSCLVM(n_dense=1, max_iter=5, seed=3).fit(permute_annotations(simulated, 3))
    np.testing.assert_allclose(model.loadings_, by_hand.loadings_, atol=1e-10)
    plain, known = train(simulated, "FSCLVM", {"n_dense": 1, "max_iter": 5}, seed=3, threads=1)
    assert np.abs(model.loadings_ - plain.loadings_).to_numpy().max() > 1e-3
    assert about["permute_annotations"] and not known["permute_annotations"]
    assert list(model.terms_.index) == list(plain.terms_.index)


def test_halves_are_permuted_alike(simulated):
    def make():
        params = {"method": "ulm", "permute_annotations": True}
        return make_model("GeneSetScore", params, seed=1, threads=1)

    np.testing.assert_array_equal(
        make().fit(simulated).weights_, get_annotations(permute_annotations(simulated, 1))
    )
    table = between_halves(simulated, make, 1, donors=False).set_index("term")["r"]
    assert table["(median |r|)"] == pytest.approx(1)  # both halves score the same shuffled sets


def test_slaloms_path_is_that_of_the_permuted_annotations(simulated, monkeypatch):
    from intae.benchmark import registry as methods

    seen = []
    monkeypatch.setattr(methods, "slalom_path", lambda data, made: seen.append(data) or {})
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
            "mine: params: method: there is no score 'aucel'; did you mean 'aucell'",
        ),
        ({"model": "FSCLVM", "permute_annotation": True}, "did you mean 'permute_annotations'"),
    ],
)
def test_config_mistakes(entry, message):
    with pytest.raises(ConfigError, match=message):
        Benchmark(methods(**entry))
