"""COVID-19, on files written in exactly the format of the source."""

import numpy as np
import pandas as pd
import pytest
from conftest import mirror_file
from tenx import write_10x

from intae.errors import IntaeError
from intae.sources.covid_balf import N_CELLS, SAMPLES, load


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
        "TTTT_4\tGSM3660650\tHC4\tHC\tN\tN\t3\tMacrophages\n",
        encoding="utf-8",
    )
    return *paths, annotation


def test_covid_balf(covid):
    adata = load(*covid, exact=False)
    assert list(adata.obs_names) == ["AAAA_1", "AAAA_8", "GGGG_8"]
    assert list(adata.obs["condition"]) == ["HC", "S", "S"]
    assert list(adata.obs["donor"]) == ["HC1", "S1", "S1"]
    assert list(adata.var_names) == ["ISG15", "CD3E"]
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 2], [5, 6], [7, 8]])


def test_covid_balf_insists_on_the_published_size(covid):
    with pytest.raises(IntaeError, match="3 annotated cells in 2 samples, not 63103 in 12"):
        load(*covid)


def test_covid_balf_names_a_barcode_that_is_missing(covid):
    annotation = covid[-1]
    annotation.write_text(
        annotation.read_text(encoding="utf-8") + "TTTT_8\tC143\tS1\tS\tY\tY\t1\tNK\n",
        encoding="utf-8",
    )
    with pytest.raises(IntaeError, match="1 annotated barcodes are not in it, TTTT among them"):
        load(*covid)


def test_covid_real_annotation():
    labels = pd.read_csv(mirror_file("all.cell.annotation.meta.txt"), sep="\t")
    assert len(labels) == 65_813 and labels["ID"].is_unique
    assert set(labels["group"]) == {"HC", "M", "S"}
    assert labels["sample"].isin(SAMPLES).sum() == N_CELLS
