"""One data set as the config declares it: loaded, filtered, labelled, subset, checked.

An h5ad larger than the memory is loaded cell after cell into a file.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ..chunks import map_chunks, matrix_of
from ..errors import IntaeError, suggest
from ..gene_sets import distinct_genes
from ..io import is_large, read_h5ad, write_h5ad_in_chunks
from ..prepared import is_integer
from ..scale import find_scale, look_at, refuse_centred, variances
from . import AS_PREPARED, SOURCES, file
from .text_table import join_metadata

log = logging.getLogger(__name__)

LARGE_SHARE = 0.3  # of all counts, to be asked about; in Kang17 the largest is FTH1 with .07


def load_dataset(
    name: str,
    entry: Mapping[str, Any],
    files: Sequence[str | Path],
    analysis: Mapping[str, Any] | None = None,
) -> AnnData:
    """Load a data set by its config entry.

    Parameters
    ----------
    name
        Its name in the config, for messages.
    entry
        Its entry; see the schema of the config.
    files
        Paths of its files: the `FILES` of a known source, in their order; or the user's own file
        and, where the entry names one, its metadata table; or, for simulated data, the prepared
        data whose gene sets they take, if any; for corrupted gene sets, the prepared data; for an
        implanted truth, the data set of its cells, loaded and prepared, and that one's gene set
        files.
    analysis
        Its entry of `analyses`: the values that it names are looked up among all cells.

    Returns
    -------
    Data, cells x genes, X as the source has it; obs holds the labels under the names condition,
    cell_type, batch and donor, as far as the entry declares them, as categories;
    `uns["scale"]` is counts, normalized or log. Simulated data and corrupted gene sets come
    prepared. An implanted truth stands beside its counts.

    Raises
    ------
    IntaeError, FileNotFoundError
        If a file is not what it should be, a column or a value that the entry names is not there,
        no cell is left, or X is no expression.
    """
    files = [Path(path) for path in files]
    source = entry["source"]
    if source == "file":
        options = ("format", "genes_in", "matrix", "gene_column")
        chosen = {option: entry[option] for option in options if option in entry}
        cell_column = (entry.get("metadata") or {}).get("cell_column")
        beside = {*(entry.get("labels") or {}).values(), *(entry.get("filter") or {})}
        adata = file.load(*files, **chosen, cell_column=cell_column, beside=beside)
    elif source in SOURCES:
        told = {key: entry[key] for key in ("cells", "prefixes") if entry.get(key)}
        adata = SOURCES[source].load(*files, **(entry.get("params") or {}), **told)
    else:
        msg = f"data set {name!r}: unknown source {source!r}{suggest(source, [*SOURCES, 'file'])}"
        raise IntaeError(msg)
    labels = entry.get("labels") or {}
    check_expression(name, adata)
    check_named_values(name, adata.obs, labels, analysis or {})
    if source in AS_PREPARED:
        return adata
    adata = choose_cells(name, adata, entry)
    check_expression(name, adata)
    scale = _find_scale(name, adata, entry.get("scale"))
    if source == "file" and scale != "log":
        _warn_of_sums(name, adata)
    loaded = AnnData(adata.X, obs=adata.obs, var=pd.DataFrame(index=adata.var_names))
    _keep_map(adata, loaded)
    if source == "implanted":
        loaded.obsm, loaded.varm, loaded.uns = adata.obsm, adata.varm, adata.uns
    loaded.uns["scale"] = scale
    return loaded


def takes_chunks(entry: Mapping[str, Any], files: Sequence[str | Path]) -> bool:
    """Say whether a data set is loaded in chunks: as its entry says, or else if its h5ad is large.

    Then only if the matrix that :func:`load_dataset` would choose is X.

    Parameters
    ----------
    entry, files
        As for `load_dataset`.
    """
    said, matrix = entry.get("chunked"), entry.get("matrix")
    if said is not None or entry["source"] != "file" or matrix not in (None, "X"):
        return bool(said)
    path = Path(files[0])
    if not path.is_file() or (entry.get("format") or file.guess_format(path)) != "h5ad":
        return False
    if not is_large(path):
        return False
    whole = read_h5ad(path, backed="r")
    others = "counts" in whole.layers or whole.raw is not None
    return matrix == "X" or not others or is_integer(whole.X)


def load_in_chunks(
    name: str,
    entry: Mapping[str, Any],
    files: Sequence[str | Path],
    analysis: Mapping[str, Any] | None,
    out: str | Path,
) -> None:
    """Write what :func:`load_dataset` returns of an h5ad, without holding its cells.

    X must hold the counts, cells in its rows; whether its values are expression is seen when the
    data are prepared.

    Parameters
    ----------
    name, entry, files, analysis
        As for `load_dataset`; of an entry with `source: file`.
    out
        The h5ad to write, whole or not at all, with X compressed by lzf.

    Raises
    ------
    FileNotFoundError, IntaeError
        If the file is no h5ad, or does not hold what the entry names.
    """
    path, *metadata = map(Path, files)
    if (entry.get("format") or file.guess_format(path)) != "h5ad" or entry.get(
        "matrix", "X"
    ) != "X":
        msg = f"data set {name!r}: chunked: reads X of an h5ad only; write the counts into X of one"
        raise IntaeError(msg)
    whole = read_h5ad(path, backed="r")
    kept, genes = np.arange(whole.n_vars), whole.var_names
    if entry.get("gene_column") is not None:
        kept, genes = file.named_genes(whole.var, path, entry["gene_column"])
    obs = whole.obs
    if metadata:
        column = entry["metadata"].get("cell_column")
        obs = join_metadata(obs, path, metadata[0], column, whole.var_names)
    cells = AnnData(obs=obs, var=pd.DataFrame(index=distinct_genes(genes, str(path))))
    _keep_map(whole, cells)
    labels = entry.get("labels") or {}
    check_names(name, cells)
    check_named_values(name, cells.obs, labels, analysis or {})
    chosen = choose_cells(name, cells, entry)
    check_names(name, chosen)
    rows = cells.obs_names.get_indexer(chosen.obs_names)
    if entry.get("scale"):
        chosen.uns["scale"] = entry["scale"]
    every = len(rows) == whole.n_obs and len(kept) == whole.n_vars
    X = matrix_of(whole if every else whole[rows, kept])
    blocks = (block for _, block in map_chunks(_as_it_is, X, doing="loading"))
    write_h5ad_in_chunks(chosen, blocks, out, compression="lzf")


def _keep_map(adata: AnnData, loaded: AnnData) -> None:
    """Keep the data's own UMAP, for the pages."""
    if "X_umap" in adata.obsm:
        loaded.obsm["X_umap"] = np.asarray(adata.obsm["X_umap"], np.float32)


def _as_it_is(block: Any) -> Any:
    return block


def choose_cells(name: str, adata: AnnData, entry: Mapping[str, Any]) -> AnnData:
    """Return the cells that an entry keeps, in their order, with its labels alone in obs."""
    labels = entry.get("labels") or {}
    adata = filter_cells(name, adata, entry.get("filter") or {})
    if entry.get("drop_unlabelled"):
        adata = _drop_unlabelled(name, adata, labels)
    adata = _subset(name, adata, entry.get("subset") or {})
    adata.obs = _labels(name, adata.obs, labels, bool(entry.get("metadata")))
    return adata


def filter_cells(
    name: str, adata: AnnData, wanted: Mapping[str, Any], *, key: str = "filter"
) -> AnnData:
    """Keep the cells whose columns of obs have one of the wanted values.

    Parameters
    ----------
    name, key
        Name of the data set and key of its entry, for messages.
    wanted
        Column of obs -> its value, or values.

    Raises
    ------
    IntaeError
        If there is no such column, or no cell is left.
    """
    for column, values in wanted.items():
        values = [str(v) for v in (values if isinstance(values, list) else [values])]
        have = _column(name, adata.obs, column, key).astype(str)
        keep = have.isin(values).to_numpy()
        if not keep.any():
            msg = (
                f"data set {name!r}: {key} {column}: {values} leaves no cell; the column "
                f"holds {', '.join(sorted(have.unique())[:8])}"
            )
            raise IntaeError(msg)
        log.info("%s: %d of %d cells have %s in %s", name, keep.sum(), len(keep), column, values)
        adata = adata[keep].copy()
    return adata


def check_named_values(
    name: str, obs: pd.DataFrame, labels: Mapping[str, str], analysis: Mapping[str, Any]
) -> None:
    """Refuse an analysis that names a condition, cell type or other label which no cell has.

    Parameters
    ----------
    name
        Of the data set.
    obs
        Of all cells, before any filter: a value whose cells are all left out is no mistake.
    labels
        Label -> its column of obs.
    analysis
        Its entry of `analyses` in the config: known_pairs, conditions, and cell_types of loadings.

    Raises
    ------
    IntaeError
        Naming the key, the value and the nearest one.
    """
    wanted = [
        (f"known_pairs: {pair['term']}", pair["label"], pair["values"])
        for pair in analysis.get("known_pairs") or ()
    ]
    wanted.append(("conditions", "condition", analysis.get("conditions") or ()))
    cell_types = (analysis.get("loadings") or {}).get("cell_types") or ()
    wanted.append(("loadings: cell_types", "cell_type", cell_types))
    for key, label, values in wanted:
        if not values:
            continue
        where = f"analyses: {key}"
        column = _column(name, obs, labels[label], where)
        known = sorted(column.dropna().astype(str).unique())
        for value in map(str, values):
            if value not in known:
                msg = f"data set {name!r}, {where}: no cell has the {label} {value!r}"
                raise IntaeError(msg + suggest(value, known))


def _drop_unlabelled(name: str, adata: AnnData, labels: Mapping[str, str]) -> AnnData:
    """Keep the cells that have all labels."""
    missing = np.zeros(adata.n_obs, dtype=bool)
    for role, column in labels.items():
        missing |= _is_missing(_column(name, adata.obs, column, f"labels: {role}")).to_numpy()
    if missing.all():
        msg = f"data set {name!r}: drop_unlabelled leaves no cell: each lacks one of its labels"
        raise IntaeError(f"{msg} ({', '.join(labels.values())})")
    if missing.any():
        log.info("%s: %d of %d cells lack a label", name, missing.sum(), len(missing))
        adata = adata[~missing].copy()
    return adata


def _subset(name: str, adata: AnnData, subset: Mapping[str, int]) -> AnnData:
    """Draw some cells by a seed; all, if there are no more."""
    n_cells = subset.get("n_cells")
    if n_cells is None or n_cells >= adata.n_obs:
        return adata
    rng = np.random.default_rng(subset.get("seed", 0))
    keep = np.sort(rng.choice(adata.n_obs, n_cells, replace=False))
    log.info("%s: %d of %d cells drawn", name, n_cells, adata.n_obs)
    return adata[keep].copy()


def _labels(name: str, obs: pd.DataFrame, labels: Mapping[str, str], joined: bool) -> pd.DataFrame:
    """Put each declared label under the name of its role, and keep nothing else."""
    columns = {}
    for role, column in labels.items():
        values = _column(name, obs, column, f"labels: {role}")
        missing = int(_is_missing(values).sum())
        if missing:
            msg = (
                f"data set {name!r}: label column {column!r} has {missing} missing values"
                f"{' (cells that the metadata lack have none)' if joined else ''}; "
                "say drop_unlabelled: true to leave those cells out"
            )
            raise IntaeError(msg)
        values = values.astype(str)
        if role == "condition" and values.nunique() < 2:
            msg = (
                f"data set {name!r}, labels: condition: column {column!r} has one value only "
                f"({values.iloc[0]!r}), so there is nothing to separate; leave the label out"
            )
            raise IntaeError(msg)
        columns[role] = values.astype("category")
    return pd.DataFrame(columns, index=obs.index)


def _is_missing(values: pd.Series) -> pd.Series:
    """Say which cells have no label: none at all, or a text without letters."""
    return values.isna() | (values.astype(str).str.strip() == "")


def _column(name: str, obs: pd.DataFrame, column: str, where: str) -> pd.Series:
    if column not in obs:
        msg = (
            f"data set {name!r}, {where}: there is no column {column!r} in obs; "
            f"it has {', '.join(map(str, obs.columns)) or 'none'}"
        )
        raise IntaeError(msg)
    return obs[column]


def _find_scale(name: str, adata: AnnData, scale: str | None) -> str:
    """Return the scale of X, said by the config or found, and refuse what is no expression."""
    where = f"data set {name!r}: X"
    values = look_at(adata.X, where, adata.obs_names, adata.var_names)
    scale = find_scale(values, scale, where)
    if values.low < 0:
        refuse_centred(np.asarray(adata.X.mean(0)).ravel(), variances(adata.X), where)
    return scale


def _warn_of_sums(name: str, adata: AnnData) -> None:
    """Warn of a gene that holds a large share of all counts, as a column of totals would."""
    of_gene = np.asarray(adata.X.sum(0), dtype=float).ravel()
    largest = int(of_gene.argmax())
    if of_gene[largest] > LARGE_SHARE * of_gene.sum():
        log.warning(
            "data set %r: %r alone holds %.0f%% of all counts; is it a gene, or a sum or a label "
            "that stands beside the genes?",
            name, adata.var_names[largest], 100 * of_gene[largest] / of_gene.sum(),
        )  # fmt: skip


def check_expression(name: str, adata: AnnData) -> None:
    """Refuse a matrix that is no expression: empty, or with names as :func:`check_names` refuses.

    Raises
    ------
    IntaeError
        Naming the data set, the slot and the name at fault.
    """
    if adata.X is None or 0 in adata.shape:
        msg = f"data set {name!r}: X is empty ({adata.n_obs} cells x {adata.n_vars} genes)"
        raise IntaeError(msg)
    check_names(name, adata)


def check_names(name: str, adata: AnnData) -> None:
    """Refuse data without cells or genes, or with names that are there twice or padded.

    Raises
    ------
    IntaeError
        Naming the data set, the slot and the name at fault.
    """
    if min(adata.shape) < 2:
        msg = (
            f"data set {name!r}: has {adata.n_obs} cells x {adata.n_vars} genes; at least two of "
            "each are needed"
        )
        raise IntaeError(msg)
    for slot, names in (("cell", adata.obs_names), ("gene", adata.var_names)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            msg = f"data set {name!r}: the {slot} name {twice!r} stands there more than once; make"
            raise IntaeError(f"{msg} the names unique, such as by the sample's name before them")
        padded = names[names != names.str.strip()]
        if len(padded):
            msg = f"data set {name!r}: the {slot} name {padded[0]!r} begins or ends in white space"
            raise IntaeError(f"{msg} or a line break; take it off ({slot} names: .str.strip())")
