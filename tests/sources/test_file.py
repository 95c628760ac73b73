"""Anyone's data: every format gives the same data, and bad input is refused in one sentence."""

import gzip
import shutil

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse
from tenx import write_10x

import intae
from intae.errors import IntaeError
from intae.sources.file import read_expression
from intae.sources.loading import load_dataset

COUNTS = np.random.default_rng(0).poisson(1.0, (12, 8)).astype(np.float32) + np.eye(
    12, 8, dtype="f"
)
CELLS = [f"cell{i}" for i in range(12)]
GENES = [f"GENE{i}" for i in range(8)]


def frame():
    return pd.DataFrame(COUNTS, index=CELLS, columns=GENES)


def h5ad(folder, name="x.h5ad", X=COUNTS, **slots):
    adata = AnnData(X, obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES))
    adata.obs["group"] = ["a", "b"] * 6
    for slot, value in slots.items():
        getattr(adata, slot).update(value)
    path = folder / name
    adata.write_h5ad(path)
    return path


def as_h5ad(folder):
    return h5ad(folder), {}


def as_sparse_h5ad(folder):
    return h5ad(folder, X=sparse.csr_matrix(COUNTS)), {}


def as_csv(folder):
    frame().to_csv(folder / "x.csv")
    return folder / "x.csv", {}


def as_tsv_gz_with_genes_in_rows(folder):
    frame().T.to_csv(folder / "x.tsv.gz", sep="\t")
    return folder / "x.tsv.gz", {"genes_in": "rows"}


def as_10x_h5(folder):
    write_10x(folder / "x.h5", COUNTS, CELLS, GENES, ["Gene Expression"] * 8)
    return folder / "x.h5", {}


def as_10x_folder(folder, version=3):
    target = folder / "matrix"
    target.mkdir()
    names = ["features.tsv", "barcodes.tsv", "matrix.mtx"]
    lines = [f"ENSG{i}\t{g}\tGene Expression" for i, g in enumerate(GENES)]
    if version == 2:
        names[0] = "genes.tsv"
        lines = [f"ENSG{i}\t{g}" for i, g in enumerate(GENES)]
    (target / names[0]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (target / names[1]).write_text("\n".join(CELLS) + "\n", encoding="utf-8")
    scipy_io.mmwrite(target / names[2], sparse.coo_matrix(COUNTS.T.astype(int)))
    if version == 3:
        for name in names:
            (target / f"{name}.gz").write_bytes(gzip.compress((target / name).read_bytes()))
            (target / name).unlink()
    return target, {}


def as_10x_folder_v2(folder):
    return as_10x_folder(folder, version=2)


def as_mtx(folder, transpose=True):
    scipy_io.mmwrite(folder / "x.mtx", sparse.coo_matrix(COUNTS.T if transpose else COUNTS))
    (folder / "x_genes.tsv").write_text(
        "\n".join(f"ENSG{i}\t{g}" for i, g in enumerate(GENES)), encoding="utf-8"
    )
    (folder / "x_barcodes.tsv").write_text("\n".join(CELLS), encoding="utf-8")
    return folder / "x.mtx", {}


def as_mtx_cells_first(folder):
    return as_mtx(folder, transpose=False)


def as_loom(folder):
    with h5py.File(folder / "x.loom", "w") as file:
        file["matrix"] = COUNTS.T
        file["row_attrs/Gene"] = np.array(GENES, dtype="S")
        file["col_attrs/CellID"] = np.array(CELLS, dtype="S")
        file["col_attrs/age"] = np.arange(12)
    return folder / "x.loom", {}


def as_layer(folder):
    return h5ad(folder, X=np.log1p(COUNTS), layers={"umis": COUNTS}), {"matrix": "umis"}


def as_layer_that_is_found(folder):
    return h5ad(folder, X=np.log1p(COUNTS), layers={"counts": COUNTS}), {}


def as_raw_that_is_found(folder):
    adata = anndata.read_h5ad(h5ad(folder))
    adata.raw = adata
    adata.X = np.log1p(adata.X)
    adata.write_h5ad(folder / "raw.h5ad")
    return folder / "raw.h5ad", {}


def as_ensembl_ids(folder):
    adata = anndata.read_h5ad(h5ad(folder))
    adata.var["symbol"] = adata.var_names
    adata.var_names = [f"ENSG{i:011d}" for i in range(8)]
    adata.write_h5ad(folder / "ids.h5ad")
    return folder / "ids.h5ad", {"gene_column": "symbol"}


FORMATS = [
    as_h5ad, as_sparse_h5ad, as_csv, as_tsv_gz_with_genes_in_rows, as_10x_h5, as_10x_folder,
    as_10x_folder_v2, as_mtx, as_mtx_cells_first, as_loom, as_layer, as_layer_that_is_found,
    as_raw_that_is_found, as_ensembl_ids,
]  # fmt: skip


def dense(adata):
    return adata.X.toarray() if sparse.issparse(adata.X) else np.asarray(adata.X)


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_every_format_gives_the_same_data(tmp_path, write):
    path, entry = write(tmp_path)
    adata = load_dataset("mine", {"source": "file"} | entry, [path])
    assert list(adata.obs_names) == CELLS
    assert list(adata.var_names) == GENES
    np.testing.assert_array_equal(dense(adata), COUNTS)
    assert adata.uns["scale"] == "counts"


def test_log_data_are_found_out_and_said(tmp_path, caplog):
    path = h5ad(tmp_path, X=np.log1p(COUNTS))
    with caplog.at_level("WARNING"):
        assert load_dataset("mine", {"source": "file"}, [path]).uns["scale"] == "log"
    assert "taken as log-normalised" in caplog.text


def test_logarithms_may_be_negative_where_the_config_says_log(tmp_path):
    path = h5ad(tmp_path, X=np.log(COUNTS + 0.5))  # uncentred
    entry = {"source": "file", "scale": "log"}
    assert load_dataset("mine", entry, [path]).uns["scale"] == "log"
    with pytest.raises(IntaeError, match="negative values"):
        load_dataset("mine", {"source": "file"}, [path])


def test_metadata_are_joined_on_the_name(tmp_path):
    path = h5ad(tmp_path)
    table = tmp_path / "meta.csv"
    table.write_text("n,cell,treated\n1,cell3,yes\n2,cell1,no\n", encoding="utf-8")
    entry = {
        "source": "file",
        "metadata": {"file": str(table), "cell_column": "cell"},
        "labels": {"condition": "treated"},
        "drop_unlabelled": True,
    }
    adata = load_dataset("mine", entry, [path, table])
    assert adata.obs["condition"].to_dict() == {"cell1": "no", "cell3": "yes"}


def test_mouse_symbols_meet_human_sets(tmp_path):
    adata = AnnData(COUNTS, var=pd.DataFrame(index=[g.capitalize() for g in GENES]))
    prepared = intae.prepare(adata, {"A": GENES}, min_genes=2, n_hvgs=None)
    assert prepared.n_vars == 8


def test_large_sets_can_be_left_out():
    adata = AnnData(COUNTS, var=pd.DataFrame(index=GENES))
    sets = {"LARGE": GENES, "SMALL": GENES[:4]}
    prepared = intae.prepare(adata, sets, min_genes=2, max_genes=5, n_hvgs=None)
    assert list(prepared.uns["terms"]) == ["SMALL"]


# ---- bad input: what it is, how the entry looks, what the message must say


def missing(folder):
    return folder / "none.h5ad", {}


def empty_file(folder):
    (folder / "x.h5ad").write_bytes(b"")
    return folder / "x.h5ad", {}


def cut_h5ad(folder):
    path = h5ad(folder)
    path.write_bytes(path.read_bytes()[:3000])
    return path, {}


def web_page(folder):
    (folder / "x.h5ad").write_text("<!DOCTYPE html><html>404</html>", encoding="utf-8")
    return folder / "x.h5ad", {}


def web_page_as_csv(folder):
    (folder / "x.csv").write_text("\n<html><body>moved</body></html>", encoding="utf-8")
    return folder / "x.csv", {}


def unknown_ending(folder):
    shutil.copy(h5ad(folder), folder / "x.dat")
    return folder / "x.dat", {}


def text_in_table(folder):
    table = frame().astype(object)
    table.iloc[2, 3] = "many"
    table.to_csv(folder / "x.csv")
    return folder / "x.csv", {}


def wrong_separator(folder):
    frame().to_csv(folder / "x.csv", sep="|")
    return folder / "x.csv", {}


def ragged_table(folder):
    (folder / "x.csv").write_text("cell,A,B\nc1,1,2\nc2,1,2,3,4\n", encoding="utf-8")
    return folder / "x.csv", {}


def mtx_without_names(folder):
    path, _ = as_mtx(folder)
    (folder / "x_genes.tsv").unlink()
    return path, {}


def mtx_with_wrong_names(folder):
    path, _ = as_mtx(folder)
    (folder / "x_genes.tsv").write_text("A\nB\n", encoding="utf-8")
    return path, {}


def cut_mtx(folder):
    path, _ = as_mtx(folder)
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:10]), encoding="utf-8")
    return path, {}


def folder_without_matrix(folder):
    (folder / "empty").mkdir()
    return folder / "empty", {}


def h5_that_is_no_10x(folder):
    with h5py.File(folder / "x.h5", "w") as file:
        file["something"] = [1, 2]
    return folder / "x.h5", {}


def loom_without_names(folder):
    path, _ = as_loom(folder)
    with h5py.File(path, "a") as file:
        del file["row_attrs/Gene"]
    return path, {}


def damaged(change):
    """Make a case of counts to which something was done."""

    def write(folder):
        X = COUNTS.copy()
        X = change(X) if callable(change) else X
        return h5ad(folder, X=X), {}

    return write


def put(value, promised=None):
    def write(folder):
        X = COUNTS.copy()
        X[1, 1] = value
        return h5ad(folder, X=X), {"scale": promised} if promised else {}

    return write


def sparse_nan(folder):
    X = sparse.csr_matrix(COUNTS)
    X.data[3] = np.nan
    return h5ad(folder, X=X), {}


def not_integer_counts(folder):
    return h5ad(folder, X=COUNTS + 0.5), {"scale": "counts"}


def z_scores(X):
    return (np.log1p(X) - np.log1p(X).mean(0)) / np.log1p(X).std(0).clip(1e-3)


def z_scores_as_log(folder):
    return h5ad(folder, X=z_scores(COUNTS)), {"scale": "log"}


def huge_non_integers(folder):
    return h5ad(folder, X=COUNTS * 1000.37), {}


def named(cells=CELLS, genes=GENES):
    def write(folder):
        adata = AnnData(COUNTS, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))
        adata.write_h5ad(folder / "x.h5ad")
        return folder / "x.h5ad", {}

    return write


def only(cells=12, genes=8):
    def write(folder):
        anndata.read_h5ad(h5ad(folder))[:cells, :genes].copy().write_h5ad(folder / "few.h5ad")
        return folder / "few.h5ad", {}

    return write


def no_x(folder):
    AnnData(obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES)).write_h5ad(
        folder / "x.h5ad"
    )
    return folder / "x.h5ad", {}


def with_entry(**entry):
    return lambda folder: (h5ad(folder), entry)


def metadata(text, **entry):
    def write(folder):
        (folder / "meta.tsv").write_text(text, encoding="utf-8")
        return [h5ad(folder), folder / "meta.tsv"], {"metadata": {"file": "meta.tsv"} | entry}

    return write


def header_only(folder):
    frame()[:0].to_csv(folder / "x.csv")
    return folder / "x.csv", {}


def damage(data):
    """Return gzipped data with its middle overwritten."""
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 20 + data[middle + 20 :]


def corrupt_gz(folder):
    frame().to_csv(folder / "x.csv.gz")
    (folder / "x.csv.gz").write_bytes(damage((folder / "x.csv.gz").read_bytes()))
    return folder / "x.csv.gz", {}


def corrupt_metadata(folder):
    text = "cell\tx\n" + "".join(f"{cell}\t{hash(cell)}\n" for cell in CELLS)
    (folder / "meta.tsv.gz").write_bytes(damage(gzip.compress(text.encode())))
    return [h5ad(folder), folder / "meta.tsv.gz"], {"metadata": {"file": "meta.tsv.gz"}}


def blank_label(folder):
    adata = anndata.read_h5ad(h5ad(folder))
    adata.obs["group"] = [" ", *adata.obs["group"].astype(str)[1:]]
    adata.write_h5ad(folder / "blank.h5ad")
    return folder / "blank.h5ad", {"labels": {"condition": "group"}}


BAD = {
    "missing file": (missing, r"none\.h5ad: there is no such file"),
    "empty file": (empty_file, r"x\.h5ad: is empty"),
    "cut h5ad": (cut_h5ad, r"x\.h5ad: cannot be read as an h5ad file; is it cut off"),
    "web page": (web_page, r"x\.h5ad: is a web page, not data"),
    "web page as csv": (web_page_as_csv, r"x\.csv: is a web page"),
    "unknown ending": (unknown_ending, r"x\.dat: the format cannot be told .* say format:"),
    "text in a table": (text_in_table, r"x\.csv: column 'GENE3' holds text, such as 'many', not"),
    "wrong separator": (wrong_separator, r"x\.csv: holds no numbers; is the separator ','"),
    "ragged table": (ragged_table, r"x\.csv: cannot be read as csv"),
    "mtx without names": (mtx_without_names, r"x\.mtx: there is no genes\.tsv or features"),
    "mtx with wrong names": (mtx_with_wrong_names, r"x\.mtx: is 8 x 12, but there are 2 gene"),
    "cut mtx": (cut_mtx, r"x\.mtx: cannot be read as mtx; is it cut off"),
    "folder without matrix": (folder_without_matrix, r"empty"),
    "h5 that is no 10x": (h5_that_is_no_10x, r"x\.h5: cannot be read as 10x_h5|x\.h5"),
    "loom without names": (loom_without_names, r"x\.loom: row_attrs holds no Gene"),
    "NaN": (put(np.nan), "X holds values that are NaN or infinite"),
    "infinite": (put(np.inf), "X holds values that are NaN or infinite"),
    "NaN in sparse data": (sparse_nan, "X holds values that are NaN or infinite"),
    "negative integers": (put(-3), r"negative values \(-3 to .*give raw counts"),
    "z-scores": (damaged(z_scores), r"negative values \(.*so it was scaled or centred"),
    "z-scores promised": (z_scores_as_log, r"the mean of most genes is 0.*is no logarithm"),
    "negative counts promised": (put(-3, "counts"), r"negative values \(-3\), so scale: counts"),
    "negative normalized": (put(-0.5, "normalized"), "so scale: normalized is wrong"),
    "no integers promised": (not_integer_counts, "no integers, but scale: counts says counts"),
    "neither counts nor log": (huge_non_integers, "does not look log-normalised; say scale:"),
    "same cells": (named(cells=["c"] * 12), "the cell name 'c' stands there more than once"),
    "a cell name with a line break": (
        named(cells=["c\n", *CELLS[1:]]),
        r"the cell name 'c\\n' begins or ends in white space",
    ),
    "a gene name with a space": (
        named(genes=[*GENES[1:], "G "]),
        "the gene name 'G ' begins or ends in white space",
    ),
    "no cells": (only(cells=0), r"few\.h5ad: holds 0 cells x 8 genes"),
    "no genes": (only(genes=0), r"few\.h5ad: holds 12 cells x 0 genes"),
    "no cells, with a label": (
        lambda folder: (only(cells=0)(folder)[0], {"labels": {"condition": "group"}}),
        "holds 0 cells x 8 genes",
    ),
    "no cells, with a filter": (
        lambda folder: (only(cells=0)(folder)[0], {"filter": {"group": "a"}}),
        "holds 0 cells x 8 genes",
    ),
    "no lines": (header_only, r"x\.csv: holds 0 cells x 8 genes"),
    "one value": (damaged(np.ones_like), r"X holds one value only \(1\), so no gene varies"),
    "nothing but zeros": (
        damaged(lambda X: sparse.csr_matrix(np.zeros_like(X))),
        r"X holds one value only \(0\)",
    ),
    "corrupt gz": (corrupt_gz, r"x\.csv\.gz: cannot be read as csv; is it cut off"),
    "corrupt gz of metadata": (
        corrupt_metadata,
        r"meta\.tsv\.gz: cannot be read as a table of metadata; is it cut off",
    ),
    "metadata without cells": (metadata("cell\tx\n"), r"metadata: .*meta\.tsv holds no cell"),
    "label of spaces": (
        blank_label,
        "label column 'group' has 1 missing values; say drop_unlabelled",
    ),
    "one cell": (only(cells=1), "has 1 cells x 8 genes; at least two of each"),
    "one gene": (only(genes=1), "has 12 cells x 1 genes; at least two of each"),
    "no matrix": (no_x, "X is empty"),
    "no such layer": (with_entry(matrix="umi"), "no layer 'umi'; there are: none"),
    "no raw": (with_entry(matrix="raw"), r"there is no \.raw in the file"),
    "no such gene column": (with_entry(gene_column="symbol"), "no column 'symbol' in var"),
    "no such label": (
        with_entry(labels={"condition": "state"}),
        "labels: condition: there is no column 'state' in obs; it has group",
    ),
    "label with one value": (
        with_entry(filter={"group": "a"}, labels={"condition": "group"}),
        "column 'group' has one value only .'a'., so there is nothing to separate",
    ),
    "no such filter": (with_entry(filter={"state": "a"}), "filter: there is no column 'state'"),
    "filter leaves none": (with_entry(filter={"group": "c"}), "leaves no cell; .* holds a, b"),
    "metadata of other cells": (metadata("cell\tx\nother\t1\n"), "no cell of the data .*'cell0'"),
    "metadata twice": (metadata("cell\tx\ncell1\t1\ncell1\t2\n"), "holds the cell 'cell1' more"),
    "metadata without the column": (
        metadata("cell\tx\ncell1\t1\n", cell_column="barcode"),
        "metadata: there is no column 'barcode'",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bad_input_is_refused_in_a_sentence(tmp_path, case):
    write, message = BAD[case]
    files, entry = write(tmp_path)
    files = files if isinstance(files, list) else [files]
    with pytest.raises((IntaeError, OSError), match=message) as error:
        load_dataset("mine", {"source": "file"} | entry, files)
    assert "'mine'" in str(error.value) or any(f.name in str(error.value) for f in files)
    assert "\n" not in str(error.value)


def doubled(folder, write):
    table = frame()
    table.columns = ["A", "A", "A-1", *GENES[3:]]
    return write(table, folder)


@pytest.mark.parametrize(
    "write",
    [
        lambda t, f: (t.to_csv(f / "x.csv"), (f / "x.csv", {}))[1],
        lambda t, f: (t.T.to_csv(f / "x.csv"), (f / "x.csv", {"genes_in": "rows"}))[1],
        lambda t, f: (
            AnnData(t.to_numpy(), obs=t[[]], var=pd.DataFrame(index=t.columns)).write_h5ad(
                f / "x.h5ad"
            ),
            (f / "x.h5ad", {}),
        )[1],
        lambda t, f: (
            AnnData(
                t.to_numpy(), obs=t[[]], var=pd.DataFrame({"symbol": t.columns}, index=GENES)
            ).write_h5ad(f / "x.h5ad"),
            (f / "x.h5ad", {"gene_column": "symbol"}),
        )[1],
        lambda t, f: (
            write_10x(f / "x.h5", COUNTS, CELLS, list(t.columns), ["Gene Expression"] * 8),
            (f / "x.h5", {}),
        )[1],
    ],
    ids=["csv", "csv with genes in rows", "h5ad", "gene_column", "10x"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_doubled_gene_names_are_told_apart_and_told_of(tmp_path, caplog, write):
    path, entry = doubled(tmp_path, write)
    adata = load_dataset("mine", {"source": "file"} | entry, [path])
    assert list(adata.var_names) == ["A", "A-2", "A-1", *GENES[3:]]
    np.testing.assert_array_equal(dense(adata), COUNTS)
    assert "1 gene names stand there more than once, A among them" in caplog.text
    assert path.name in caplog.text


def test_doubled_cell_names_in_the_header_of_a_table_are_refused(tmp_path):
    table = frame().T
    table.columns = ["c", "c", *CELLS[2:]]
    table.to_csv(tmp_path / "x.csv")
    with pytest.raises(IntaeError, match="the cell name 'c' stands there more than once; make"):
        load_dataset("mine", {"source": "file", "genes_in": "rows"}, [tmp_path / "x.csv"])


def test_names_with_slashes_and_spaces_are_kept(tmp_path):
    genes = ["A/B", "C D", *GENES[2:]]
    adata = AnnData(COUNTS, obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=genes))
    sets = {"A SET/WITH ALL": genes, "ANOTHER: ONE": genes[:4]}
    prepared = intae.prepare(adata, sets, min_genes=2, n_hvgs=None)
    prepared.write_h5ad(tmp_path / "p.h5ad")
    model = intae.PCA(n_dense=2).fit(anndata.read_h5ad(tmp_path / "p.h5ad"))
    assert list(model.weights_.index) == genes
    assert list(anndata.read_h5ad(tmp_path / "p.h5ad").uns["terms"]) == list(sets)


def test_more_hvgs_than_genes_keeps_all():
    adata = AnnData(COUNTS, var=pd.DataFrame(index=GENES))
    assert intae.prepare(adata, {"A": GENES}, n_hvgs=5000, min_genes=2).n_vars == 8


def test_unreadable_file(tmp_path, monkeypatch):
    path = h5ad(tmp_path)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*x\.h5ad"):
        load_dataset("mine", {"source": "file"}, [path])


def test_tables_as_excel_writes_them(tmp_path):
    frame().rename_axis("cell").to_csv(tmp_path / "x.csv", encoding="utf-8-sig")
    (tmp_path / "meta.csv").write_bytes("\ufeffcell,état\ncell1,né\ncell5,mûr\n".encode())
    entry = {
        "source": "file",
        "metadata": {"cell_column": "cell"},
        "labels": {"cell_type": "état"},
        "drop_unlabelled": True,
    }
    adata = load_dataset("mine", entry, [tmp_path / "x.csv", tmp_path / "meta.csv"])
    assert adata.obs["cell_type"].to_dict() == {"cell1": "né", "cell5": "mûr"}


def test_loom_attributes_of_any_kind_of_text(tmp_path):
    path, _ = as_loom(tmp_path)
    with h5py.File(path, "a") as file:
        file["col_attrs/type"] = ["zellé"] * 12  # of variable length
        file["col_attrs/umap"] = np.zeros((12, 2))  # no column of obs
    obs = read_expression(path).obs
    assert list(obs["type"]) == ["zellé"] * 12 and list(obs["age"]) == list(range(12))
    assert list(obs.columns) == ["age", "type"]
