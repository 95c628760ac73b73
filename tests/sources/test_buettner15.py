"""Buettner15, on a table written in exactly the format of the source."""

import gzip

import pytest
from conftest import mirror_file

from intae.errors import IntaeError
from intae.sources.loading import load_dataset


def test_buettner15(tmp_path):
    path = tmp_path / "Buettneretal.csv.gz"
    path.write_bytes(gzip.compress(b'"Gnai3","Cdc45"\n"1",1.97,0\n"3",0,2.83\n'))
    adata = load_dataset("b", {"source": "buettner15", "params": {"exact": False}}, [path])
    assert list(adata.var_names) == ["Gnai3", "Cdc45"]
    assert adata.uns["scale"] == "log"
    with pytest.raises(IntaeError, match="has 2 cells x 2 genes, not 182 x 6635"):
        load_dataset("b", {"source": "buettner15"}, [path])


def test_buettner15_real():
    path = mirror_file("Buettneretal.csv.gz")
    labels = {"condition": "condition"}
    adata = load_dataset("b", {"source": "buettner15", "labels": labels}, [path])
    assert adata.shape == (182, 6635)
    assert set(adata.obs["condition"]) == {"stage 1", "stage 2", "stage 3"}
