"""Loaders, on files written in exactly the format of the source, quirks included."""

import gzip
import io
import tarfile

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from conftest import mirror_file
from scipy import io as scipy_io
from scipy import sparse

from intae.sources.covid_balf import N_CELLS, load_covid_balf
from intae.sources.downloads import COVID_SAMPLES
from intae.sources.kang17 import load_kang17
from intae.sources.loading import load_dataset
from intae.sources.macosko15 import CELL_TYPES, load_macosko15

# ---- Kang17


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
    adata = load_kang17(*kang, exact=False)
    assert list(adata.obs_names) == ["AAAA-1", "CCCC-1", "AAAA-11", "GGGG-1"]
    assert list(adata.obs["condition"]) == ["ctrl", "ctrl", "stim", "stim"]
    assert adata.obs.loc["AAAA-11", "cell_type"] == "NK cells"
    assert list(adata.obs["donor"]) == ["107", "1016", "107", "1016"]
    assert adata.var_names.is_unique and adata.var_names[0] == "ISG15"
    assert sparse.issparse(adata.X)
    np.testing.assert_array_equal(adata.X.toarray()[2], [4, 0, 0])


def test_kang17_insists_on_the_published_size(kang):
    with pytest.raises(ValueError, match="expected 35635 x 14619"):
        load_kang17(*kang)


def test_kang17_refuses_another_archive(kang, tmp_path):
    with tarfile.open(tmp_path / "other.tar", "w"):
        pass
    with pytest.raises(ValueError, match=r"holds no GSM2560248_2\.1\.mtx\.gz"):
        load_kang17(tmp_path / "other.tar", *kang[1:], exact=False)


def test_kang17_real_annotation():
    path = mirror_file("GSE96583_batch2.total.tsne.df.tsv.gz")
    labels = pd.read_csv(path, sep="\t", index_col=0)
    assert labels.index.is_unique and len(labels) == 29_065
    assert (labels["stim"] == "ctrl").sum() == 14_619
    singlets = labels[(labels["multiplets"] == "singlet") & labels["cell"].notna()]
    assert len(singlets) == 24_673


# ---- Macosko15


@pytest.fixture
def macosko(tmp_path):
    table = tmp_path / "GSE63472_P14Retina_merged_digital_expression.txt.gz"
    table.write_bytes(
        gzip.compress(b"gene\tr1_AA\tr1_CC\tp1_GG\nKITL\t1\t0\t2\nTMTC3\t0\t0\t4\nGFAP\t7\t8\t9\n")
    )
    identities = tmp_path / "retina_clusteridentities.txt"
    identities.write_text("r1_AA\t24\np1_GG\t35\n")
    return table, identities


def test_macosko15(macosko):
    adata = load_macosko15(*macosko, exact=False)
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
    with pytest.raises(ValueError, match=message):
        load_macosko15(*macosko, exact=False)


def test_macosko15_insists_on_the_published_size(macosko):
    with pytest.raises(ValueError, match="2 of its 3 cells have a cluster, not 44808"):
        load_macosko15(*macosko)


def test_macosko15_real_identities():
    labels = pd.read_csv(
        mirror_file("retina_clusteridentities.txt"), sep="\t", header=None, index_col=0
    )
    types = labels[1].map(CELL_TYPES)
    assert len(labels) == 44_808 and types.notna().all()
    assert types.nunique() == 12
    assert (types == "Rods").sum() == 29_400


# ---- COVID-19


def write_10x(path, X, barcodes, genes, types):
    with h5py.File(path, "w") as file:
        matrix = sparse.csc_matrix(X.T)  # features x barcodes
        group = file.create_group("matrix")
        group["data"], group["indices"] = matrix.data, matrix.indices
        group["indptr"], group["shape"] = matrix.indptr, matrix.shape
        group["barcodes"] = np.array(barcodes, dtype="S")
        features = group.create_group("features")
        features["id"] = np.array([f"ENSG{i}" for i in range(len(genes))], dtype="S")
        features["name"] = np.array(genes, dtype="S")
        features["feature_type"] = np.array(types, dtype="S")
        features["genome"] = np.array(["GRCh38"] * len(genes), dtype="S")


@pytest.fixture
def covid(tmp_path):
    genes, types = ["ISG15", "CD3E", "protein"], ["Gene Expression"] * 2 + ["Antibody Capture"]
    paths = []
    for name, barcodes, X in (
        ("GSM4475048_C51", ["AAAA-1", "CCCC-1"], [[1, 2, 9], [3, 4, 9]]),
        ("GSM4339771_C143", ["AAAA-1", "GGGG-1"], [[5, 6, 9], [7, 8, 9]]),
    ):
        path = tmp_path / f"{name}_filtered_feature_bc_matrix.h5"
        write_10x(path, np.array(X), barcodes, genes, types)
        paths.append(path)
    annotation = tmp_path / "all.cell.annotation.meta.txt"
    annotation.write_text(  # the barcode AAAA stands in both samples
        "ID\tsample\tsample_new\tgroup\tdisease\thasnCoV\tcluster\tcelltype\n"
        "AAAA_1\tC51\tHC1\tHC\tN\tN\t3\tMacrophages\n"
        "AAAA_8\tC143\tS1\tS\tY\tY\t1\tT\n"
        "GGGG_8\tC143\tS1\tS\tY\tY\t1\tNK\n"
        "TTTT_4\tGSM3660650\tHC4\tHC\tN\tN\t3\tMacrophages\n"
    )
    return paths, annotation


def test_covid_balf(covid):
    adata = load_covid_balf(*covid, exact=False)
    assert list(adata.obs_names) == ["AAAA_1", "AAAA_8", "GGGG_8"]
    assert list(adata.obs["condition"]) == ["HC", "S", "S"]
    assert list(adata.obs["donor"]) == ["HC1", "S1", "S1"]
    assert list(adata.var_names) == ["ISG15", "CD3E"]
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 2], [5, 6], [7, 8]])


def test_covid_balf_insists_on_the_published_size(covid):
    with pytest.raises(ValueError, match="3 annotated cells in 2 samples, not 63103 in 12"):
        load_covid_balf(*covid)


def test_covid_balf_names_a_barcode_that_is_missing(covid):
    paths, annotation = covid
    annotation.write_text(annotation.read_text() + "TTTT_8\tC143\tS1\tS\tY\tY\t1\tNK\n")
    with pytest.raises(ValueError, match="1 annotated barcodes are not in it, TTTT among them"):
        load_covid_balf(paths, annotation)


def test_covid_real_annotation():
    labels = pd.read_csv(mirror_file("all.cell.annotation.meta.txt"), sep="\t")
    assert len(labels) == 65_813 and labels["ID"].is_unique
    assert set(labels["group"]) == {"HC", "M", "S"}
    assert labels["sample"].isin(COVID_SAMPLES).sum() == N_CELLS


# ---- a file of the user's, and what all data sets share


@pytest.fixture
def own_file(counts, tmp_path):
    counts.obs["type"] = ["T", "B", "NK"] * 20
    path = tmp_path / "own.h5ad"
    counts.write_h5ad(path)
    return path


def entry(**changes):
    base = {"source": "file", "labels": {"condition": "condition", "cell_type": "type"}}
    return base | changes


def test_own_file(own_file):
    adata = load_dataset("mine", entry(filter={"type": ["T", "B"]}), [own_file])
    assert adata.n_obs == 40
    assert list(adata.obs.columns) == ["condition", "cell_type"]
    assert isinstance(adata.obs["cell_type"].dtype, pd.CategoricalDtype)


def test_subset_is_drawn_by_its_seed(own_file):
    names = [
        list(load_dataset("mine", entry(subset={"n_cells": 9, "seed": s}), [own_file]).obs_names)
        for s in (1, 1, 2)
    ]
    assert len(names[0]) == 9 and names[0] == names[1] != names[2]


def test_cells_without_a_label_can_be_dropped(own_file):
    adata = anndata.read_h5ad(own_file)
    adata.obs["condition"] = [None, *adata.obs["condition"][1:]]
    adata.write_h5ad(own_file)
    with pytest.raises(ValueError, match="'condition' has 1 missing values; say drop_unlabelled"):
        load_dataset("mine", entry(), [own_file])
    assert load_dataset("mine", entry(drop_unlabelled=True), [own_file]).n_obs == 59


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"donor": "patient"}}, "'mine', labels: donor: there is no column 'patient'"),
        ({"filter": {"type": "TT"}}, "leaves no cell; the column holds B, NK, T"),
        ({"filter": {"kind": "T"}}, "'mine', filter: there is no column 'kind'"),
    ],
)
def test_wrong_entries(own_file, change, message):
    with pytest.raises(ValueError, match=message):
        load_dataset("mine", entry(**change), [own_file])


# ---- Buettner15


def test_buettner15(tmp_path):
    path = tmp_path / "Buettneretal.csv.gz"
    path.write_bytes(gzip.compress(b'"Gnai3","Cdc45"\n"1",1.97,0\n"3",0,2.83\n'))
    adata = load_dataset("b", {"source": "buettner15", "params": {"exact": False}}, [path])
    assert list(adata.var_names) == ["Gnai3", "Cdc45"]
    assert adata.uns["scale"] == "log"
    with pytest.raises(ValueError, match="has 2 cells x 2 genes, not 182 x 6635"):
        load_dataset("b", {"source": "buettner15"}, [path])


def test_buettner15_real():
    path = mirror_file("Buettneretal.csv.gz")
    labels = {"condition": "condition"}
    adata = load_dataset("b", {"source": "buettner15", "labels": labels}, [path])
    assert adata.shape == (182, 6635)
    assert set(adata.obs["condition"]) == {"stage 1", "stage 2", "stage 3"}
