"""Tables as people have them: of any separator, with columns beside the counts, of any labels."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from intae.errors import IntaeError
from intae.gene_sets import distinct_genes
from intae.sources.file import load
from intae.sources.loading import load_dataset
from intae.sources.text_table import Layout, layout_of

COUNTS = np.random.default_rng(0).poisson(2.0, (12, 6)).astype(float)
CELLS = [f"ACGTACGTACGT{letter}-1" for letter in "ABCDEFGHIJKL"]
GENES = ["STAT1", "ISG15", "IFI6", "MX1", "CD3E", "MS4A1"]


@pytest.fixture
def counts():
    return pd.DataFrame(COUNTS, index=CELLS, columns=GENES)


def same(adata, factor=1.0):
    assert list(adata.obs_names) == CELLS and list(adata.var_names) == GENES
    np.testing.assert_allclose(adata.X.toarray(), COUNTS * factor, rtol=1e-6)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.csv.gz"])
def test_separator_and_decimal_sign_are_told_from_the_file(
    counts, tmp_path, name, separator, decimal, caplog
):
    (counts / 2).to_csv(tmp_path / name, sep=separator, decimal=decimal)
    same(load(tmp_path / name), 0.5)
    same(load(tmp_path / name, format="csv"), 0.5)
    usual = {"x.csv": ",", "x.csv.gz": ",", "x.tsv": "\t"}[name] == separator and decimal == "."
    assert (f"{tmp_path / name}: is read with" in caplog.text) != usual


def test_the_first_line_may_lack_the_name_of_the_names(counts, tmp_path):
    text = counts.to_csv(sep=";").removeprefix(";")  # as R writes it
    (tmp_path / "x.csv").write_text(text)
    assert layout_of(tmp_path / "x.csv") == Layout(";", ".")
    same(load(tmp_path / "x.csv"))


def test_a_semicolon_in_a_name_parts_nothing(counts, tmp_path):
    named = counts.rename(columns={"CD3E": "CD3E;CD3D"})
    named.to_csv(tmp_path / "x.csv")
    assert layout_of(tmp_path / "x.csv") == Layout(",", ".")
    assert list(load(tmp_path / "x.csv").var_names) == list(named.columns)


def test_columns_beside_the_counts_of_genes_can_name_them(counts, tmp_path, caplog):
    table = counts.T.set_axis([f"ENSG{i:011d}" for i in range(6)])
    table.insert(0, "symbol", GENES)
    table.insert(1, "Length", 1000)
    table["description"] = "a gene"
    table.to_csv(tmp_path / "x.csv")
    adata = load(tmp_path / "x.csv", genes_in="rows", gene_column="symbol")
    same(adata)
    assert list(adata.var.columns) == ["symbol", "Length", "description"]
    assert "stand beside it: 'Length', 'description'" in caplog.text


def test_labels_in_a_table_of_counts_are_labels(counts, tmp_path):
    """Also where they are numbers, which look like the counts of one more gene."""
    counts["nCount_RNA"] = counts.sum(1)
    counts["group"], counts["patient"] = ["None", "drug"] * 6, ["01", "02", "03"] * 4
    counts.to_csv(tmp_path / "x.csv")
    entry = {
        "source": "file",
        "labels": {"condition": "group", "donor": "patient"},
        "filter": {"patient": ["01", "03"]},
    }
    adata = load_dataset("mine", entry, [tmp_path / "x.csv"])
    assert list(adata.var_names) == GENES and adata.n_obs == 8
    assert set(adata.obs["condition"]) == {"None", "drug"}
    assert set(adata.obs["donor"]) == {"01", "03"}


def test_a_word_among_numbers_is_a_mistake_and_no_label(counts, tmp_path):
    counts = counts.astype(object)
    counts.iloc[7, 2] = "many"
    counts.to_csv(tmp_path / "x.csv")
    with pytest.raises(IntaeError, match="column 'IFI6' holds text, such as 'many', not numbers"):
        load(tmp_path / "x.csv")


def test_a_gene_that_holds_most_of_all_counts_is_asked_about(counts, tmp_path, caplog):
    counts["umis"] = counts.sum(1)
    counts.to_csv(tmp_path / "x.csv")
    load_dataset("mine", {"source": "file"}, [tmp_path / "x.csv"])
    assert "'umis' alone holds 50% of all counts; is it a gene" in caplog.text


def test_metadata_stay_text(counts, tmp_path, caplog):
    counts.to_csv(tmp_path / "x.csv")
    table = pd.DataFrame({"donor": ["01", "02"] * 5, "cluster": ["3", "NA"] * 5}, CELLS[:10])
    table.to_csv(tmp_path / "meta.csv", sep=";")
    obs = load(tmp_path / "x.csv", tmp_path / "meta.csv").obs
    assert list(obs["donor"][:2]) == ["01", "02"] and obs["donor"].isna().sum() == 2
    assert obs["cluster"].iloc[0] == "3" and obs["cluster"].isna().sum() == 7
    assert f"10 of 12 cells are in {tmp_path / 'meta.csv'}; {CELLS[10]!r} is not" in caplog.text
    entry = {"source": "file", "metadata": {"file": "meta.csv"}, "labels": {"donor": "donor"}}
    with pytest.raises(IntaeError, match=r"has 2 missing values \(cells that the metadata lack"):
        load_dataset("mine", entry, [tmp_path / "x.csv", tmp_path / "meta.csv"])


def numbered(table):
    return table.reset_index(names="barcode")


def dotted(table):
    return table.set_axis(table.index.str.replace("-", "."))


def prefixed(table):
    return table.set_axis("lane1_" + table.index.str.removesuffix("-1"))


def of_genes(table):
    return table.set_axis([*GENES, *CELLS[6:]]).iloc[:6]


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (numbered, "its column 'barcode' holds them: say cell_column: barcode"),
        (dotted, "they differ in a sign only, as R writes names of columns"),
        (prefixed, "the barcodes are the same, but not what stands before or after them"),
        (of_genes, "the data's genes are: say genes_in: rows"),
        (lambda table: table.set_axis(list("abcdefghijkl")), "do the names begin and end alike?"),
    ],
)
def test_where_no_cell_is_in_the_metadata_the_message_says_why(counts, tmp_path, change, advice):
    counts.to_csv(tmp_path / "x.csv")
    change(pd.DataFrame({"donor": ["1", "2"] * 6}, CELLS)).to_csv(tmp_path / "meta.csv")
    with pytest.raises(IntaeError) as error:
        load(tmp_path / "x.csv", tmp_path / "meta.csv")
    assert f"); {advice}" in str(error.value)


@pytest.mark.parametrize(
    ("name", "advice"), [("x.xlsx", "save it as CSV"), ("x.rds", "write from R an h5ad, or")]
)
def test_files_of_excel_and_r_are_told_of(counts, tmp_path, name, advice):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    counts.to_csv(tmp_path / "y.csv")
    for given in ([tmp_path / name], [tmp_path / "y.csv", tmp_path / name]):
        with pytest.raises(IntaeError, match=f"{name}: is a .*; {advice}"):
            load(*given)


def matrix_folder(folder, prefix="", kinds=("Gene Expression",) * 6):
    folder.mkdir()
    scipy_io.mmwrite(folder / f"{prefix}matrix.mtx", sparse.csc_matrix(COUNTS.T))
    (folder / f"{prefix}barcodes.tsv").write_text("\n".join(CELLS) + "\n")
    lines = [f"ENSG{i}\t{gene}\t{kinds[i]}" for i, gene in enumerate(GENES)]
    (folder / f"{prefix}features.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_folder_of_geo_has_something_before_its_names(tmp_path):
    same(load(matrix_folder(tmp_path / "geo", "GSM1_")))


def test_a_folder_of_starsolo_is_not_compressed(tmp_path):
    same(load(matrix_folder(tmp_path / "solo")))


def test_antibodies_are_no_genes(tmp_path, caplog):
    kinds = ("Gene Expression",) * 4 + ("Antibody Capture",) * 2
    folder = matrix_folder(tmp_path / "cite", "GSM1_", kinds)
    for path in (folder, folder / "GSM1_matrix.mtx"):
        caplog.clear()
        assert list(load(path).var_names) == GENES[:4]
        assert "only genes are read; left out: 2 Antibody Capture" in caplog.text


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("matrix.mtx", "holds no matrix.mtx or matrix.mtx.gz, but barcodes.tsv, features.tsv"),
        ("features.tsv", "there is no genes.tsv or features.tsv"),
        ("barcodes.tsv", "there is no barcodes.tsv or cells.tsv"),
    ],
)
def test_what_a_folder_lacks_is_named(tmp_path, lost, message):
    folder = matrix_folder(tmp_path / "mine")
    (folder / lost).unlink()
    with pytest.raises(IntaeError, match=message):
        load(folder)


def test_of_two_matrices_one_must_be_named(tmp_path):
    folder = matrix_folder(tmp_path / "geo", "GSM1_")
    scipy_io.mmwrite(folder / "GSM2_matrix.mtx", sparse.csc_matrix(COUNTS.T))
    with pytest.raises(IntaeError, match=r"holds 2 matrices; name one of them, such as .*GSM1_"):
        load(folder)
    same(load(folder / "GSM1_matrix.mtx"))


def test_genes_that_became_dates_are_told_of(caplog):
    with caplog.at_level(logging.WARNING):
        distinct_genes(pd.Index(["STAT1", "1-Mar", "Sep-02", "MARCH1", "HLA-A"]), "x.csv")
    assert "x.csv: 2 gene names are dates, such as '1-Mar'" in caplog.text
