"""The table of what became of each gene set, as the comparison of a data set writes it."""

import pandas as pd

import intae
from intae.benchmark.compare import Comparison
from intae.benchmark.jobs import TABLES
from intae.io import write_h5ad


def written(adata, tmp_path, named=()):
    """Return the table that a comparison writes of these prepared data."""
    write_h5ad(adata, tmp_path / "prepared.h5ad")
    inputs = {"facts": [], "scores": [], "prepared": tmp_path / "prepared.h5ad"}
    outputs = {"gene_sets": tmp_path / "gene_sets.csv"}
    Comparison(inputs, {"dataset": "mine", "named": [*named]}, outputs).write()
    return pd.read_csv(outputs["gene_sets"], keep_default_na=False)


def test_dropped_sets_are_in_the_table_and_named_ones_are_told_of(counts, tmp_path, caplog):
    sets = {"A": [f"GENE{i}" for i in range(20, 35)], "SMALL": ["GENE1", "GENE2", "NO"]}
    prepared = intae.prepare(counts, sets, n_hvgs=None, min_genes=5)
    caplog.clear()
    table = written(prepared, tmp_path, named=["A", "SMALL"])
    assert list(table.columns) == [
        "dataset", "name", "n_genes", "in_data", "kept_genes", "kept", "why"
    ]  # fmt: skip
    assert table.to_numpy().tolist() == [
        ["mine", "A", 15, 15, 15, True, ""],
        ["mine", "SMALL", 3, 2, 2, False, "no more than 5 genes in the data (min_genes)"],
    ]
    warnings = [r.message for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1 and warnings[0].startswith("SMALL: the gene set is dropped")
    assert TABLES["gene_sets"] == "always"


def test_simulated_data_drop_nothing(simulated, tmp_path):
    table = written(simulated, tmp_path)
    assert table["kept"].all() and list(table["name"]) == list(simulated.uns["terms"])
