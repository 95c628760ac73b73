"""Reading gene sets, and the annotation matrix."""

import gzip

import numpy as np
import pandas as pd
import pytest
from conftest import mirror_file

from intae.errors import IntaeError
from intae.gene_sets import annotation_matrix, merge_gene_sets, read_descriptions, read_gene_sets


def write(tmp_path, text, name="sets.gmt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_gmt(tmp_path):
    path = write(tmp_path, "R_A\thttp://x\tG1\tG2\tG1\t\n\nR_B/with slash\t\tG3\n")
    assert read_gene_sets(path) == {"R_A": ["G1", "G2"], "R_B/with slash": ["G3"]}
    assert list(read_gene_sets(path, remove_prefix="R_")) == ["A", "B/with slash"]


def test_space_separated_and_gzip(tmp_path):
    path = tmp_path / "sets.csv.gz"
    path.write_bytes(gzip.compress(b"ASTROCYTES GFAP CLU\nOTHER,A,B\n"))
    assert read_gene_sets(path) == {"ASTROCYTES": ["GFAP", "CLU"], "OTHER": ["A", "B"]}


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("Β_CELLS\tx\tG1\n", encoding="utf-8-sig")
    assert read_gene_sets(path) == {"Β_CELLS": ["G1"]}
    assert list(read_descriptions(path)) == ["Β_CELLS"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no gene set"),
        (
            "A\tG1\tG2\nB\tx\tG1\n",
            "line 1: 'G1' stands where GMT has the description of 'A', but is a",
        ),
        ("A\tx\tG1\nB\tx\n", "line 2: a gene set needs a name and at least one gene"),
        ("A\tx\tG1\nA\tx\tG2\n", "line 2: the gene set 'A' stands there a second time"),
        ("<!DOCTYPE html><html></html>", "looks like a web page"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(IntaeError, match=message) as error:
        read_gene_sets(path)
    assert str(path) in str(error.value)


def test_a_mark_at_the_front_of_a_later_line_is_no_part_of_a_name_either(tmp_path):
    path = write(tmp_path, "\ufeffA\tx\tG1\n\ufeffB\tx\tG2\n")
    assert list(read_gene_sets(path)) == ["A", "B"]


def test_a_description_that_is_a_gene_of_the_data_is_told_of(tmp_path):
    path = write(tmp_path, "A\tG1\tG2\nB\tB\tG3\n")  # B: its name again, which is common
    assert read_gene_sets(path, genes=["G2", "B"])["A"] == ["G2"]
    for genes in (["G1"], ["g1"]):  # sets of human genes for the data of a mouse
        with pytest.raises(IntaeError, match="line 1: 'G1' stands where GMT has the description"):
            read_gene_sets(path, genes=genes)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such gene set file"):
        read_gene_sets(tmp_path / "none.gmt")
    path = tmp_path / "cut.gmt.gz"
    path.write_bytes(gzip.compress(b"A\tx\tG1\n" * 1000)[:40])
    with pytest.raises(IntaeError, match="not a text file"):
        read_gene_sets(path)
    data = gzip.compress("".join(f"A{i}\tx\tG{i}\n" for i in range(500)).encode())
    path.write_bytes(data[:300] + b"\xff" * 40 + data[340:])
    with pytest.raises(IntaeError, match="not a text file of gene sets in UTF-8, or cut off"):
        read_gene_sets(path)


def test_merge_refuses_a_name_in_two_files():
    assert list(merge_gene_sets([{"A": ["x"]}, {"B": ["y"]}])) == ["A", "B"]
    with pytest.raises(IntaeError, match="'A' stands in more than one file"):
        merge_gene_sets([{"A": ["x"]}, {"A": ["y"]}])


def test_annotation_matrix_ignores_case():
    genes = pd.Index(["Gfap", "CLU", "other", "GFAP"])
    matrix, terms = annotation_matrix({"A": ["GFAP", "clu", "none"], "B": ["nothing"]}, genes)
    assert list(terms) == ["A", "B"]
    np.testing.assert_array_equal(matrix.toarray(), [[1, 0], [1, 0], [0, 0], [1, 0]])


def test_reactome_names_are_whole_and_unique():
    path = mirror_file("c2.cp.reactome.v4.0.symbols.gmt")
    sets = read_gene_sets(path, remove_prefix="REACTOME_")
    assert len(sets) == 674
    assert "REGULATION_OF_INSULIN_SECRETION_BY_GLUCAGON_LIKE_PEPTIDE1" in sets
    assert len({name[:30] for name in sets}) < len(sets)  # why names are never cut
