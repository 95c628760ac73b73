"""Macosko15, on files written in exactly the format of the source."""

import gzip

import numpy as np
import pandas as pd
import pytest
from blocked import run_without
from conftest import mirror_file

from intae.errors import IntaeError
from intae.sources.macosko15 import CELL_TYPES, load


@pytest.fixture
def macosko(tmp_path):
    table = tmp_path / "GSE63472_P14Retina_merged_digital_expression.txt.gz"
    table.write_bytes(
        gzip.compress(b"gene\tr1_AA\tr1_CC\tp1_GG\nKITL\t1\t0\t2\nTMTC3\t0\t0\t4\nGFAP\t7\t8\t9\n")
    )
    identities = tmp_path / "retina_clusteridentities.txt"
    identities.write_text("r1_AA\t24\np1_GG\t35\n", encoding="utf-8")
    return table, identities


def test_macosko15(macosko):
    adata = load(*macosko, exact=False)
    assert list(adata.obs_names) == ["r1_AA", "p1_GG"]
    assert list(adata.obs["cell_type"]) == ["Rods", "Astrocytes"]
    assert list(adata.obs["batch"]) == ["r1", "p1"]
    np.testing.assert_array_equal(adata[:, "KITL"].X.toarray().ravel(), [1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene\ta\tb\nG1\t1\n", "line 2: 1 numbers for 2 cells"),
        ("gene\ta\tb\nG1\t1\t2\nG2\t1\tx\n", "line 3: holds something that is no number"),
        ("gene\ta\tb\n", "holds no gene"),
    ],
)
def test_macosko15_names_the_line_that_is_wrong(macosko, text, message):
    macosko[0].write_bytes(gzip.compress(text.encode()))
    with pytest.raises(IntaeError, match=message):
        load(*macosko, exact=False)


def test_macosko15_does_not_read_in_the_encoding_of_the_place(macosko, monkeypatch):
    table, identities = macosko
    plain = table.with_suffix("")
    plain.write_bytes(gzip.decompress(table.read_bytes()))
    monkeypatch.setenv("PYTHONWARNDEFAULTENCODING", "1")
    code = (
        "import sys, warnings, anndata; from pathlib import Path\n"
        "from intae.sources.macosko15 import load\n"
        "warnings.simplefilter('error', EncodingWarning)\n"
        "for table in sys.argv[1:3]: load(Path(table), Path(sys.argv[3]), exact=False)"
    )
    done = run_without((), code, *map(str, (table, plain, identities)))
    assert done.returncode == 0, done.stderr


def test_macosko15_insists_on_the_published_size(macosko):
    with pytest.raises(IntaeError, match="2 of its 3 cells have a cluster, not 44808"):
        load(*macosko)


def test_macosko15_real_identities():
    labels = pd.read_csv(
        mirror_file("retina_clusteridentities.txt"), sep="\t", header=None, index_col=0
    )
    types = labels[1].map(CELL_TYPES)
    assert len(labels) == 44_808 and types.notna().all()
    assert types.nunique() == 12
    assert (types == "Rods").sum() == 29_400
