"""Gene sets with wrong and missing genes."""

import numpy as np
import pytest
from anndata import AnnData

import intae
from intae.errors import IntaeError
from intae.prepared import check_prepared, get_annotations
from intae.sources import corrupted


def changes(data: AnnData) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the size of each set as it was, and how many genes left it and came into it."""
    true, known = data.varm["true_annotations"] > 0, get_annotations(data) > 0
    return true.sum(0), (true & ~known).sum(0), (known & ~true).sum(0)


def test_a_share_of_each_set_is_replaced_and_the_right_sets_are_kept(simulated):
    known = get_annotations(simulated).copy()
    data = intae.corrupt_annotations(simulated, removed=0.3, added=0.2, seed=1)
    check_prepared(data)
    np.testing.assert_array_equal(data.varm["true_annotations"], known)
    np.testing.assert_array_equal(get_annotations(simulated), known)  # the data given stay
    size, n_out, n_in = changes(data)
    np.testing.assert_array_equal(n_out, np.round(0.3 * size))
    np.testing.assert_array_equal(n_in, np.round(0.2 * size))
    assert (n_out > 0).any() and (n_in > 0).any()
    assert data.X is simulated.X and list(data.uns["terms"]) == list(simulated.uns["terms"])
    # what comes in is annotated elsewhere
    added = (get_annotations(data) > known).any(1)
    assert known.any(1)[added].all()
    for k, (removed, added) in enumerate(data.uns["corrupted"].to_numpy()):
        column = get_annotations(data)[:, k].astype(int) - known[:, k]
        assert removed.split() == list(data.var_names[column < 0])
        assert added.split() == list(data.var_names[column > 0])


def test_the_seed_draws(simulated):
    first, same, other = (intae.corrupt_annotations(simulated, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(get_annotations(first), get_annotations(same))
    assert (get_annotations(first) != get_annotations(other)).any()


def test_no_set_is_emptied_and_no_gene_comes_from_nowhere():
    data = AnnData(np.ones((3, 4), np.float32))
    data.varm["annotations"] = np.array([[1, 1], [1, 0], [1, 0], [0, 0]], np.uint8)
    data.uns["terms"] = np.array(["WIDE", "SINGLE"], object)
    size, n_out, n_in = changes(intae.corrupt_annotations(data, removed=0.99, added=9))
    assert list(size - n_out) == [1, 1]  # a gene stays
    assert list(n_in) == [0, 2]  # the last gene is in no set, so it comes into none
    unchanged = intae.corrupt_annotations(data, removed=0, added=0)
    np.testing.assert_array_equal(get_annotations(unchanged), get_annotations(data))


@pytest.mark.parametrize("wrong", [{"removed": 1}, {"removed": -0.1}, {"added": -1}])
def test_shares_out_of_range_are_refused(simulated, wrong):
    with pytest.raises(IntaeError, match=f"{next(iter(wrong))} must be"):
        intae.corrupt_annotations(simulated, **wrong)


def test_the_source_reads_prepared_data(simulated, tmp_path):
    from intae.io import read_h5ad, write_h5ad
    from intae.sources.loading import load_dataset

    write_h5ad(simulated, tmp_path / "prepared.h5ad")
    entry = {"source": "corrupted", "prepared_of": "d", "params": {"removed": 0.5, "seed": 3}}
    data = load_dataset("c", entry, [tmp_path / "prepared.h5ad"])
    assert data.uns["scale"] == "log" and corrupted.FILES == ()
    expected = intae.corrupt_annotations(simulated, removed=0.5, seed=3)
    write_h5ad(data, tmp_path / "loaded.h5ad")
    loaded = read_h5ad(tmp_path / "loaded.h5ad")
    for slot in ("annotations", "true_annotations"):
        np.testing.assert_array_equal(loaded.varm[slot], expected.varm[slot])
    assert list(loaded.uns["corrupted"]["added"]) == list(expected.uns["corrupted"]["added"])
