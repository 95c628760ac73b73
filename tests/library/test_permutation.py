"""Gene sets shuffled as a control."""

import numpy as np

from intae.controls import permute_annotations
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
