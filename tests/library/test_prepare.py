"""The prepare filter and what it promises."""

import anndata
import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

import intae
from intae.errors import IntaeError
from intae.io import read_h5ad, write_h5ad
from intae.preparation import filter_annotations
from intae.prepared import check_named, gene_set_table, tell_lost

SETS = {
    "A": [f"gene{i}" for i in range(20, 35)],
    "B": [f"GENE{i}" for i in range(30, 50)],
    "SMALL": ["GENE1", "GENE2", "GENE3"],
}


def test_prepared_values_are_scanpys(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    expected = counts.copy()
    sc.pp.normalize_total(expected)
    sc.pp.log1p(expected)
    np.testing.assert_allclose(prepared.X, expected[:, prepared.var_names].X, rtol=1e-6)
    assert prepared.X.dtype == np.float32
    assert list(prepared.uns["terms"]) == ["A", "B"]
    assert prepared.varm["annotations"].shape == (prepared.n_vars, 2)


def test_the_result_is_checked_once(counts, monkeypatch):
    calls = []
    monkeypatch.setattr("intae.preparation.check_prepared", calls.append)
    prepared = intae.prepare(counts, SETS, n_hvgs=20, min_genes=2)
    assert len(calls) == 1 and calls[0] is prepared


def test_input_is_not_changed(counts):
    before = counts.copy()
    intae.prepare(counts, SETS, n_hvgs=20, min_genes=2)
    np.testing.assert_array_equal(counts.X, before.X)
    assert list(counts.var_names) == list(before.var_names)
    assert dict(counts.uns) == dict(before.uns)


def test_sparse_stays_sparse_and_is_the_same(counts):
    dense = intae.prepare(counts, SETS, n_hvgs=20, min_genes=4)
    as_sparse = AnnData(sparse.csr_matrix(counts.X), obs=counts.obs, var=counts.var)
    prepared = intae.prepare(as_sparse, SETS, n_hvgs=20, min_genes=4)
    assert sparse.issparse(prepared.X)
    assert list(prepared.var_names) == list(dense.var_names)
    np.testing.assert_allclose(prepared.X.toarray(), dense.X, rtol=1e-6)


def test_hvgs_are_counted_among_annotated_genes(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=15, min_genes=1)
    assert prepared.n_vars <= 15
    annotated = {gene.upper() for genes in SETS.values() for gene in genes}
    assert set(prepared.var_names) <= annotated


def test_filter_reaches_its_fixed_point():
    # set 2 falls first; gene 3, in it alone, follows; nothing else may fall
    known = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]])
    genes, sets = filter_annotations(known, min_genes=2)
    np.testing.assert_array_equal(sets, [True, True, False])
    np.testing.assert_array_equal(genes, [True, True, True, False, True])
    again, sets_again = filter_annotations(known[genes][:, sets], min_genes=2)
    assert again.all() and sets_again.all()


def test_kept_sets_have_more_than_min_genes(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=15)
    assert list(prepared.uns["terms"]) == ["B"]  # A has 15, which is not more than 15
    assert (prepared.varm["annotations"].sum(1) > 0).all()


def test_log_normalised_data_pass_through(counts):
    log = counts.copy()
    log.X = np.log1p(log.X)
    prepared = intae.prepare(log, SETS, n_hvgs=None, min_genes=5, normalize=False, log1p=False)
    np.testing.assert_array_equal(prepared.X, log[:, prepared.var_names].X)


def test_no_gene_in_common_says_why(counts):
    counts.var_names = [f"ENSG{i:011d}" for i in range(50)]
    with pytest.raises(IntaeError, match=r"Ensembl ids \(put the symbols into "):
        intae.prepare(counts, SETS)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({}, "gene_sets: holds no gene set; give name -> genes"),
        ({"A": []}, "gene_sets: no set has a gene"),
        ({"A": "GENE1"}, r"gene_sets: 'A': give a list of genes, such as \['GENE1'\]"),
        ({"A": [], "B": [1, 2]}, r"none of the 50 genes .*sets: 1, 2\)"),
    ],
)
def test_sets_that_are_none_are_told(counts, sets, message):
    with pytest.raises(IntaeError, match=message):
        intae.prepare(counts, sets)


def test_genes_may_be_numbers(counts):
    sets = {"A": list(range(20)), "B": [str(i) for i in range(10, 40)]}
    counts.var.index = range(50)  # as Entrez ids often come
    prepared = intae.prepare(counts, sets, n_hvgs=None, min_genes=5)
    assert list(prepared.var_names) == [str(i) for i in range(40)]
    with pytest.raises(IntaeError, match=r"none of the 50 genes .*data: 0, 1, 2"):
        intae.prepare(counts, SETS)


def test_rows_and_columns_that_are_swapped_are_told_of(counts):
    with pytest.raises(IntaeError, match=r"33 names of cells are \(GENE1, .*say genes_in: rows"):
        intae.prepare(counts.T, SETS)


def test_a_broken_value_is_named_by_cell_and_gene(counts, monkeypatch):
    monkeypatch.setattr("intae.chunks.CHUNK", 17)
    for value in (np.nan, np.inf, -np.inf):
        counts.X[40, 7] = value
        for X in (counts.X, sparse.csr_matrix(counts.X), sparse.csc_matrix(counts.X)):
            broken = AnnData(X, obs=counts.obs, var=counts.var)
            with pytest.raises(IntaeError, match="infinite, at cell 'cell40', gene 'GENE7' first"):
                intae.prepare(broken, SETS)


def test_data_without_cells_or_genes_are_told_of(counts):
    for empty, size in ((counts[:0], "0 cells x 50 genes"), (counts[:, :0], "60 cells x 0 genes")):
        with pytest.raises(IntaeError, match=f"the data hold {size}"):
            intae.prepare(empty.copy(), SETS)


def test_data_that_do_not_vary_are_told_of(counts):
    for X in (np.ones((60, 50)), sparse.csr_matrix((60, 50)), np.full((60, 50), 0.5)):
        flat = AnnData(X, obs=counts.obs, var=counts.var)
        with pytest.raises(IntaeError, match=r"X holds one value only .*no gene varies"):
            intae.prepare(flat, SETS)
    some = counts.copy()
    some.X[:, [1, 2, 3, *range(20, 50)]] = 0  # all that are in a set
    with pytest.raises(IntaeError, match="none of the 33 annotated genes varies between the cells"):
        intae.prepare(some, SETS)
    ones = sparse.csr_matrix((counts.X > 0).astype(float))  # one value, but for the zeros
    assert intae.prepare(AnnData(ones, var=counts.var), SETS, n_hvgs=None, min_genes=5).n_vars


def test_doubled_gene_names_are_told_apart(counts, caplog):
    counts.var_names = ["GENE20", *counts.var_names[1:]]
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    assert "var_names: 1 gene names stand there more than once, GENE20 among them" in caplog.text
    np.testing.assert_array_equal(prepared.obs_names, counts.obs_names)
    names = list(prepared.var_names)
    assert names.count("GENE20") == 1 and "GENE20-1" not in names  # which is in no set


def test_no_set_left_says_what_to_do(counts):
    with pytest.raises(IntaeError, match="lower min_genes"):
        intae.prepare(counts, SETS, min_genes=40)


def test_genes_that_are_zero_everywhere_are_left_out(counts):
    counts.X[:, 40] = 0
    prepared = intae.prepare(counts, SETS, n_hvgs=1000, min_genes=5)
    assert "GENE40" not in prepared.var_names and "GENE41" in prepared.var_names


def test_empty_cells_are_named(counts):
    counts.X[7] = 0
    with pytest.raises(IntaeError, match=r"1 cells have no counts at all, 'cell7'"):
        intae.prepare(counts, SETS)


# --- the scale


def test_logged_data_are_not_logged_twice(counts, caplog):
    logged = counts.copy()
    logged.X = np.log1p(logged.X)
    prepared = intae.prepare(logged, SETS, n_hvgs=None, min_genes=5)
    np.testing.assert_array_equal(prepared.X, logged[:, prepared.var_names].X)
    assert "taken as log-normalised" in caplog.text
    assert prepared.uns["prepare"]["scale"] == "log"
    assert not prepared.uns["prepare"]["normalize"] and not prepared.uns["prepare"]["log1p"]


def test_normalised_data_are_logged_where_the_scale_says_so(counts):
    normal = counts.copy()
    sc.pp.normalize_total(normal)
    prepared = intae.prepare(normal, SETS, n_hvgs=None, min_genes=5, scale="normalized")
    expected = np.log1p(normal[:, prepared.var_names].X)
    np.testing.assert_allclose(prepared.X, expected, rtol=1e-6)
    normal.X *= 1000.5
    with pytest.raises(IntaeError, match="does not look log-normalised; say scale"):
        intae.prepare(normal, SETS, min_genes=5)


def test_z_scores_are_refused_whatever_they_are_called(counts):
    sc.pp.normalize_total(counts)
    sc.pp.log1p(counts)
    shifted = counts.copy()
    shifted.X -= 0.3  # below zero, but not centred
    sc.pp.scale(counts)
    for said in ({}, {"scale": "log"}, {"normalize": False, "log1p": False}):
        with pytest.raises(IntaeError, match=r"negative values.* so it was scaled or centred"):
            intae.prepare(counts, SETS, min_genes=5, **said)
    with pytest.raises(IntaeError, match="negative values"):
        intae.prepare(shifted, SETS, min_genes=5)
    assert intae.prepare(shifted, SETS, min_genes=5, n_hvgs=None, scale="log").X.min() < 0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"scale": "logs"}, "there is no scale 'logs'; did you mean 'log'"),
        ({"layer": "cuonts"}, "there is no layer 'cuonts'; did you mean 'counts'"),
        ({"layer": "nan"}, "layer 'nan' holds values that are NaN"),
    ],
)
def test_what_is_taken_is_checked(counts, said, message):
    counts.layers["counts"] = counts.X.copy()
    counts.layers["nan"] = np.where(counts.X == 2, np.nan, counts.X)
    with pytest.raises(IntaeError, match=message):
        intae.prepare(counts, SETS, min_genes=5, **said)


def test_a_layer_is_taken_instead_of_x(counts):
    expected = intae.prepare(counts, SETS, n_hvgs=20, min_genes=4)
    counts.layers["counts"] = sparse.csc_matrix(counts.X.astype(int))
    sc.pp.log1p(counts)
    sc.pp.scale(counts)
    prepared = intae.prepare(counts, SETS, n_hvgs=20, min_genes=4, layer="counts")
    assert list(prepared.var_names) == list(expected.var_names)
    np.testing.assert_allclose(prepared.X.toarray(), expected.X, rtol=1e-6)


@pytest.mark.parametrize("form", [np.array, sparse.csr_matrix, sparse.csc_matrix])
def test_a_backed_file_gives_the_same(counts, tmp_path, monkeypatch, form):
    monkeypatch.setattr("intae.chunks.CHUNK", 17)
    counts.X = form(counts.X)
    expected = intae.prepare(counts, SETS, n_hvgs=20, min_genes=4)
    counts.write_h5ad(tmp_path / "counts.h5ad")
    backed = anndata.read_h5ad(tmp_path / "counts.h5ad", backed="r")
    part = intae.prepare(backed[:40], SETS, n_hvgs=20, min_genes=4)
    assert list(part.obs_names) == list(counts.obs_names[:40])
    prepared = intae.prepare(backed, SETS, n_hvgs=20, min_genes=4)
    assert list(prepared.var_names) == list(expected.var_names) and not prepared.isbacked
    X, Y = (x.toarray() if sparse.issparse(x) else x for x in (prepared.X, expected.X))
    np.testing.assert_array_equal(X, Y)
    assert prepared.uns["prepare"]["total"] == expected.uns["prepare"]["total"]
    backed.file.close()


# --- genes and sets that are dropped, or kept in any case


def test_the_table_says_what_became_of_each_set(counts, tmp_path, caplog):
    sets = SETS | {"ELSEWHERE": ["X1", "X2"], "LARGE": [*counts.var_names], "FLAT": ["GENE3"] * 2}
    sets["FEW_VARY"] = [f"GENE{i}" for i in range(1, 16)] + ["Z"]
    counts.X[:, 1:6] = 0
    with caplog.at_level("INFO"):
        prepared = intae.prepare(counts, sets, n_hvgs=30, min_genes=10, max_genes=40)
    write_h5ad(prepared, tmp_path / "prepared.h5ad")
    read = read_h5ad(tmp_path / "prepared.h5ad")
    for data in (prepared, read):
        table = gene_set_table(data).set_index("name")
        assert list(table.index) == list(sets)
        assert list(table.index[table["kept"]]) == list(data.uns["terms"])
        assert table["why"].to_dict() == {
            "A": "", "B": "",
            "SMALL": "no more than 10 genes in the data (min_genes)",
            "ELSEWHERE": "no gene in the data",
            "LARGE": "more than 40 genes in the data (max_genes)",
            "FLAT": "no more than 10 genes in the data (min_genes)",
            "FEW_VARY": "no more than 10 variable genes (min_genes)",
        }  # fmt: skip
        assert table.loc["FEW_VARY", ["n_genes", "in_data"]].tolist() == [16, 15]
        assert table.loc["FEW_VARY", "kept_genes"] <= 10
        assert table.loc["FLAT", "n_genes"] == 1
        np.testing.assert_array_equal(
            table.loc[table["kept"], "kept_genes"], data.varm["annotations"].sum(0)
        )
    assert "5 of 7 gene sets are dropped: 2 with no more than 10 genes in the data" in caplog.text
    assert "1 gene sets with more than 10 genes in the data are dropped" in caplog.text


def test_kept_sets_keep_all_their_genes_and_change_no_other(counts, tmp_path):
    sets = SETS | {"FLAT": [f"gene{i}" for i in range(5, 12)]}
    plain = intae.prepare(counts, sets, n_hvgs=20, min_genes=5)
    assert "FLAT" not in plain.uns["terms"]
    prepared = intae.prepare(counts, sets, n_hvgs=20, min_genes=5, max_genes=20, keep_sets=["FLAT"])
    assert "FLAT" in prepared.uns["terms"]
    asked = {f"GENE{i}" for i in range(5, 12)}
    assert set(prepared.var_names) == set(plain.var_names) | asked
    row = prepared.uns["gene_sets"].loc["FLAT"]
    assert row["kept"] and row["kept_genes"] == row["in_data"] == 7
    write_h5ad(prepared, tmp_path / "prepared.h5ad")
    assert list(read_h5ad(tmp_path / "prepared.h5ad").uns["prepare"]["keep_sets"]) == ["FLAT"]
    large = intae.prepare(counts, sets, min_genes=5, max_genes=18, keep_sets=["B"])
    assert list(large.uns["terms"]) == ["A", "B", "FLAT"]  # B has 20


def test_kept_genes_stay_in_a_set_or_not(counts, caplog):
    counts.X[:, 10] = 0
    plain = intae.prepare(counts, SETS, n_hvgs=15, min_genes=4)
    lost = next(g for g in ("GENE20", "GENE21", "GENE22") if g not in plain.var_names)
    keep = [lost.lower(), "GENE15", "GENE10"]  # GENE15 is in no set, GENE10 the same in all cells
    prepared = intae.prepare(counts, SETS, n_hvgs=15, min_genes=4, keep_genes=keep)
    assert set(prepared.var_names) == {*plain.var_names, lost, "GENE15"}
    assert "1 genes are the same in all cells and are left out, GENE10" in caplog.text
    assert intae.Autoencoder().fit(prepared).weights_.loc["GENE15"].notna().all()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"keep_sets": ["SMAL"]}, "keep_sets: there is no gene set 'SMAL'; did you mean 'SMALL'"),
        ({"keep_sets": ["EMPTY"]}, "keep_sets: none of the 2 genes of 'EMPTY' is in the data"),
        ({"keep_sets": "SMALL"}, r"keep_sets: give a list of names, such as \['SMALL'\]"),
        ({"keep_genes": ["GEN21"]}, "keep_genes: there is no gene 'GEN21' in the data; did you"),
        ({"keep_sets": ["ZERO"], "n_hvgs": 20}, "keep_sets: no gene of 'ZERO' varies"),
        ({"hvg_flavor": "seurat3"}, "there is no hvg_flavor 'seurat3'; did you mean 'seurat'"),
    ],
)
def test_what_cannot_be_kept_is_told(counts, keep, message):
    counts.X[:, 3] = 0
    sets = SETS | {"EMPTY": ["NO1", "NO2"], "ZERO": ["GENE3"]}
    with pytest.raises(IntaeError, match=message):
        intae.prepare(counts, sets, min_genes=4, **keep)


def test_dropped_terms_that_someone_named_are_told_of(counts, caplog):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    caplog.clear()
    tell_lost(prepared, ["A", "SMALL", "ABSENT"])
    assert [record.message for record in caplog.records] == [
        "SMALL: the gene set is dropped, with no more than 5 genes in the data (min_genes): of its "
        "3 genes 3 are in the data, and 3 of these were kept; keep_sets would keep it and them",
        "ABSENT: there is no gene set of this name",
    ]


def test_simulated_data_have_their_terms_in_the_table(simulated):
    table = gene_set_table(simulated)
    assert list(table["name"]) == list(simulated.uns["terms"]) and table["kept"].all()
    assert (table["kept_genes"] == simulated.varm["annotations"].sum(0)).all()


# --- variable genes


@pytest.mark.parametrize("flavor", ["cell_ranger", "pearson_residuals", "seurat_v3"])
def test_variable_genes_are_scanpys(counts, flavor):
    if flavor == "seurat_v3":
        pytest.importorskip("skmisc")
    rng = np.random.default_rng(1)
    wide = AnnData(rng.poisson(rng.gamma(0.5, size=200) * rng.gamma(1.0, size=(80, 200))) + 0.0)
    wide.var_names = [f"GENE{i}" for i in range(200)]
    wide.X[0, 1:] = 0  # a cell with counts of a gene that is in no set only
    wide.X[0, 0] = 9
    sets = {"ALL": [*wide.var_names[1:]]}
    prepared = intae.prepare(wide, sets, n_hvgs=50, hvg_flavor=flavor)
    expected = wide.copy()
    if flavor == "cell_ranger":
        sc.pp.normalize_total(expected)
        sc.pp.log1p(expected)
        expected = expected[:, 1:].copy()
    else:
        expected = expected[1:, 1:].copy()
    choose = sc.experimental.pp if flavor == "pearson_residuals" else sc.pp
    expected = expected[:, (expected.X != 0).any(0)].copy()
    choose.highly_variable_genes(expected, n_top_genes=50, flavor=flavor)
    chosen = expected.var_names[expected.var["highly_variable"]]
    assert list(prepared.var_names) == list(chosen)
    assert prepared.uns["prepare"]["hvg_flavor"] == flavor
    assert prepared.X.max() < 10  # log-normalised, whatever the genes were chosen by


def test_flavours_of_counts_want_counts(counts):
    counts.X = np.log1p(counts.X)
    with pytest.raises(IntaeError, match=r"'pearson_residuals' needs raw counts, but X holds none"):
        intae.prepare(counts, SETS, n_hvgs=20, min_genes=4, hvg_flavor="pearson_residuals")


def test_a_package_that_is_missing_is_named(counts, monkeypatch):
    monkeypatch.setattr("intae.variable_genes.find_spec", lambda package: None)
    with pytest.raises(IntaeError, match="pip install scikit-misc"):
        intae.prepare(counts, SETS, min_genes=4, hvg_flavor="seurat_v3")


def test_a_flavour_that_scanpy_cannot_use_is_told(counts, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("Bin edges must be unique")

    monkeypatch.setattr(sc.pp, "highly_variable_genes", fail)
    with pytest.raises(IntaeError, match=r"'seurat' cannot choose genes .*Bin edges"):
        intae.prepare(counts, SETS, n_hvgs=20, min_genes=4)


def test_new_cells_can_be_normalised_as_the_training_cells_were(counts):
    prepared = intae.prepare(counts, SETS, n_hvgs=None, min_genes=5)
    new = counts[:10].copy()
    sc.pp.normalize_total(new, target_sum=prepared.uns["prepare"]["total"])
    sc.pp.log1p(new)
    np.testing.assert_allclose(new[:, prepared.var_names].X, prepared.X[:10], rtol=1e-5)


def test_terms_that_an_analysis_names_are_looked_up():
    known, where = ["INTERFERON", "APOPTOSIS"], "config, analyses: mine"
    check_named({"terms": known, "scatter": known}, known, where, {})
    for key in ("terms", "scatter", "known_pairs"):
        told = (
            f"analyses: mine: {key}: there is no gene set 'INTERFERONS'; did you mean 'INTERFERON"
        )
        with pytest.raises(IntaeError, match=told):
            check_named({key: ["INTERFERONS"]}, known, where, {})
    lost = {"APOPTOSIS": "no more than 13 variable genes (min_genes)"}
    check_named({"terms": ["APOPTOSIS"]}, known, where, lost)  # told of in the log
    with pytest.raises(
        IntaeError, match=r"scatter: 'APOPTOSIS' is no term .*; name it in keep_sets"
    ):
        check_named({"scatter": ["APOPTOSIS"]}, known, where, lost)
