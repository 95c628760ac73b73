"""Prepared data that break the contract are refused by slot."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from intae.io import whole_file
from intae.prepared import ContractError, check_prepared


def drop_annotations(a):
    del a.varm["annotations"]


def drop_terms(a):
    del a.uns["terms"]


def two_in_annotations(a):
    a.varm["annotations"] = a.varm["annotations"].astype(float) * 2


def one_term_less(a):
    a.uns["terms"] = a.uns["terms"][1:]


def empty_term(a):
    annotations = a.varm["annotations"].copy()
    annotations[:, 2] = 0
    a.varm["annotations"] = annotations


def same_name(a):
    terms = a.uns["terms"].copy()
    terms[1] = terms[0]
    a.uns["terms"] = terms


def integers(a):
    a.X = np.zeros(a.shape, dtype=int)


def not_finite(a):
    a.X[3, 4] = np.nan


@pytest.mark.parametrize(
    ("damage", "slot"),
    [
        (drop_annotations, r'varm\["annotations"\]: is missing'),
        (drop_terms, r'uns\["terms"\]: is missing'),
        (two_in_annotations, "values other than 0 and 1"),
        (one_term_less, 'uns."terms". names 7 terms'),
        (empty_term, "1 terms have no gene, 'SIMULATED_PATHWAY_3'"),
        (same_name, "'SIMULATED_PATHWAY_1' stands there more than once"),
        (integers, "X: has type int64"),
        (not_finite, "X: nan at cell 'cell_4', gene 'GENE5'"),
    ],
)
def test_broken_prepared_data(simulated, damage, slot):
    adata = simulated.copy()
    check_prepared(adata)
    damage(adata)
    with pytest.raises(ContractError, match=slot):
        check_prepared(adata)


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    path, other = tmp_path / "table[1].csv", tmp_path / ".other.csv.abcdefgh.part.csv"
    other.write_text("another file that is being written")
    code = (
        "import os, signal, sys; from intae.io import whole_file\n"
        "with whole_file(sys.argv[1]) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert not path.exists() and len(list(tmp_path.iterdir())) == 2
    with whole_file(path) as part:
        part.write_text("whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, other])
