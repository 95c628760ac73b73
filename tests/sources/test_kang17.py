"""Kang17, on files written in exactly the format of the source, quirks included."""

import gzip
import io
import tarfile

import numpy as np
import pandas as pd
import pytest
from conftest import mirror_file
from scipy import io as scipy_io
from scipy import sparse

from intae.errors import IntaeError
from intae.sources.kang17 import load


def mtx_gz(X):
    buffer = io.BytesIO()
    scipy_io.mmwrite(buffer, sparse.coo_matrix(X.T.astype(float)), field="real")
    return gzip.compress(buffer.getvalue())


@pytest.fixture
def kang(tmp_path):
    """Three genes, cells A B (control) and A C (stimulated): barcode A occurs in both."""
    ctrl, stim = np.array([[1, 0, 2], [0, 3, 0]]), np.array([[4, 0, 0], [0, 5, 6]])
    members = {
        "GSM2560248_2.1.mtx.gz": mtx_gz(ctrl),
        "GSM2560248_barcodes.tsv.gz": gzip.compress(b"AAAA-1\nCCCC-1\n"),
        "GSM2560249_2.2.mtx.gz": mtx_gz(stim),
        "GSM2560249_barcodes.tsv.gz": gzip.compress(b"AAAA-1\nGGGG-1\n"),
        "GSM2560245_A.mat.gz": gzip.compress(b"batch 1, not ours"),
    }
    with tarfile.open(tmp_path / "GSE96583_RAW.tar", "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    genes = tmp_path / "GSE96583_batch2.genes.tsv.gz"
    genes.write_bytes(gzip.compress(b"ENSG1\tISG15\nENSG2\tMIX\nENSG3\tMIX\n"))
    labels = tmp_path / "GSE96583_batch2.total.tsne.df.tsv.gz"
    labels.write_bytes(
        gzip.compress(  # the header has one field less than the rows
            b"tsne1\ttsne2\tind\tstim\tcluster\tcell\tmultiplets\n"
            b"AAAA-1\t1.5\t2\t107\tctrl\t5\tCD4 T cells\tsinglet\n"
            b"CCCC-1\t1.5\t2\t1016\tctrl\t9\tB cells\tdoublet\n"
            b"AAAA-11\t1.5\t2\t107\tstim\t5\tNK cells\tsinglet\n"
            b"GGGG-1\t1.5\t2\t1016\tstim\t5\tNA\tambs\n"
        )
    )
    return tmp_path / "GSE96583_RAW.tar", genes, labels


def test_kang17(kang):
    adata = load(*kang, exact=False)
    assert list(adata.obs_names) == ["AAAA-1", "CCCC-1", "AAAA-11", "GGGG-1"]
    assert list(adata.obs["condition"]) == ["ctrl", "ctrl", "stim", "stim"]
    assert adata.obs.loc["AAAA-11", "cell_type"] == "NK cells"
    assert list(adata.obs["donor"]) == ["107", "1016", "107", "1016"]
    assert adata.var_names.is_unique and adata.var_names[0] == "ISG15"
    assert sparse.issparse(adata.X)
    np.testing.assert_array_equal(adata.X.toarray()[2], [4, 0, 0])


def test_kang17_insists_on_the_published_size(kang):
    with pytest.raises(IntaeError, match="expected 35635 x 14619"):
        load(*kang)


def test_kang17_refuses_another_archive(kang, tmp_path):
    with tarfile.open(tmp_path / "other.tar", "w"):
        pass
    with pytest.raises(IntaeError, match=r"holds no GSM2560248_2\.1\.mtx\.gz"):
        load(tmp_path / "other.tar", *kang[1:], exact=False)


def test_kang17_real_annotation():
    path = mirror_file("GSE96583_batch2.total.tsne.df.tsv.gz")
    labels = pd.read_csv(path, sep="\t", index_col=0)
    assert labels.index.is_unique and len(labels) == 29_065
    assert (labels["stim"] == "ctrl").sum() == 14_619
    singlets = labels[(labels["multiplets"] == "singlet") & labels["cell"].notna()]
    assert len(singlets) == 24_673
