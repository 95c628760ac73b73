"""Prepare data: normalise, filter to annotated highly variable genes and terms they fill."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .chunks import is_dask, matrix_of
from .counts import SIZE_FACTOR
from .errors import IntaeError, suggest
from .expression import Asked, InChunks, InMemory
from .gene_sets import annotation_matrix, distinct_genes, read_gene_sets
from .io import read_h5ad, write_h5ad_in_chunks
from .prepared import check_prepared
from .variable_genes import check_flavor

log = logging.getLogger(__name__)


def prepare(
    adata: AnnData,
    gene_sets: Mapping[str, list[str]] | str | Path,
    n_hvgs: int | None = 1000,
    min_genes: int = 13,
    *,
    max_genes: int | None = None,
    normalize: bool = True,
    target_sum: float | None = None,
    log1p: bool = True,
    layer: str | None = None,
    scale: str | None = None,
    hvg_flavor: str = "seurat",
    keep_genes: Iterable[str] = (),
    keep_sets: Iterable[str] = (),
    out: str | Path | None = None,
) -> AnnData:
    """Make prepared data, the input of every model.

    Each cell is normalised to the median total (Y_ng / sum_g Y_ng x median), then log1p. Of the
    genes that are in at least one set, the `n_hvgs` most variable are kept, then the sets with more
    than `min_genes` genes left, then the genes left in a set, until nothing more falls. What became
    of each set stands in `uns["gene_sets"]`, in short in the log.

    Parameters
    ----------
    adata
        cells x genes, raw counts in X, dense or sparse; not modified. A sparse matrix stays
        sparse. Of a backed one, only the annotated genes come into memory; with `out`, or as arrays
        of Dask, no more than some chunks of cells.
    gene_sets
        Name -> genes, or the path of a file (:func:`intae.read_gene_sets`). Gene names are
        matched without regard to case.
    n_hvgs
        Number of highly variable genes; None keeps all that are annotated.
    min_genes
        A set is kept with *more* genes than this, as in the paper.
    max_genes
        A set with more genes than this among the data's genes is left out before all else; None
        keeps large sets.
    normalize, log1p
        False leaves the step out. Each is done where the scale asks for it only: counts are
        normalised and logged, normalised values logged.
    target_sum
        Total of a cell after normalisation; None takes the median of the totals.
    layer
        The layer to take instead of X.
    scale
        What the matrix holds: `counts`, `normalized` or `log`; None finds it out
        (:func:`intae.scale.find_scale`): integers are counts, other values up to 30 logarithms.
    hvg_flavor
        What of scanpy's says how variable a gene is. `seurat`: the dispersion among genes of a
        like mean; `cell_ranger`: the same, otherwise scaled; `seurat_v3` (needs scikit-misc) and
        `pearson_residuals`: variance beyond what the mean lets expect, of the counts.
    keep_genes
        Genes that are kept besides the variable ones, in a set or not.
    keep_sets
        Sets that are kept whatever `min_genes` and `max_genes` say, with all of their genes.
    out
        An h5ad to write the prepared data to, whole or not at all, for data larger than the memory.
        The cells are passed over twice, in chunks (with `cell_ranger` three times; the flavours of
        counts need the memory), and the result is what is written, backed. None: the result is
        in memory, or for arrays of Dask an array of Dask again, computed when it is used.

    Returns
    -------
    AnnData, cells x genes: X log-normalised float32, not centred; `varm["annotations"]` genes x
    terms, uint8; `uns["terms"]` the names of the terms; `uns["gene_sets"]` a table with every set
    given, by name: n_genes, in_data (its genes in the data), kept_genes (those among the variable
    and the kept genes), kept, why (it is not kept); `uns["prepare"]` the settings, what was
    matched, and the `total` that cells were normalised to (new cells need the same); obs as it
    was, and of counts `obs["size_factor"]`, each cell's total over the common one, by which
    models that need counts restore them.

    Raises
    ------
    IntaeError
        If no gene matches or no set is left, the matrix holds z-scores or no numbers, its scale
        cannot be told, or a name is not known; the message says what was found and what to do.
    """
    if out is not None and adata.isbacked and Path(adata.filename).resolve() == Path(out).resolve():
        msg = f"out: {out} is the file that the cells are read from; name another one"
        raise IntaeError(msg)
    if 0 in adata.shape:
        msg = (
            f"the data hold {adata.n_obs} cells x {adata.n_vars} genes; were they filtered to "
            "none, or read from a table with another separator than it has?"
        )
        raise IntaeError(msg)
    names = distinct_genes(adata.var_names, "var_names")
    if not isinstance(gene_sets, Mapping):
        gene_sets = read_gene_sets(gene_sets, genes=names)
    _check_sets(gene_sets)
    check_flavor(hvg_flavor)
    n_genes = [len({str(gene).upper() for gene in genes}) for genes in gene_sets.values()]
    annotations, terms = annotation_matrix(gene_sets, names)
    table = pd.DataFrame({"n_genes": n_genes, "in_data": _count(annotations)}, terms.rename("name"))
    keep_genes, keep_sets = _listed("keep_genes", keep_genes), _listed("keep_sets", keep_sets)
    forced_sets = _find_sets(keep_sets, table)
    forced_genes = _find_genes(keep_genes, names)
    forced = forced_genes | (_count(annotations[:, forced_sets], axis=1) > 0)
    small = forced_sets | (table["in_data"] <= (max_genes or np.inf)).to_numpy()
    annotated = _count(annotations[:, small], axis=1) > 0
    if not annotated.any():
        raise IntaeError(_no_match(adata.obs_names, names, gene_sets))
    log.info(
        "%d of %d genes are in at least one of %d gene sets",
        annotated.sum(), adata.n_vars, len(gene_sets),
    )  # fmt: skip

    read = annotated | forced
    report = {"n_cells": adata.n_obs, "n_genes_in": adata.n_vars, "n_sets_in": len(gene_sets)}
    asked = Asked(
        layer, scale, normalize, log1p, target_sum, None if n_hvgs is None else hvg_flavor
    )
    in_chunks = out is not None or is_dask(matrix_of(adata, layer))
    expression = (InChunks if in_chunks else InMemory)(adata, asked, read)
    steps = expression.steps
    if steps.normalize:
        report["total"] = steps.total

    keep = annotated[read]
    report["n_genes_annotated"] = int(annotated.sum())
    if n_hvgs is not None:
        keep = expression.most_variable(keep, n_hvgs, hvg_flavor)
    if n_hvgs is not None and not keep.any():
        msg = f"none of the {len(keep)} annotated genes varies between the cells of {asked.where}"
        raise IntaeError(f"{msg}; give other gene sets or the right matrix")
    keep |= _that_vary(expression, forced[read] & ~keep, names[read])
    kept = np.flatnonzero(read)[keep]
    table["kept_genes"] = _count(annotations[kept])
    chosen = annotations[kept][:, small].toarray()
    genes, sets = filter_annotations(
        chosen, min_genes, keep_genes=forced_genes[kept], keep_sets=forced_sets[small]
    )
    table["kept"] = False
    table.loc[terms[small][sets], "kept"] = True
    table["why"] = _why_dropped(table, min_genes, max_genes)
    if not sets.any():
        msg = (
            f"no gene set has more than min_genes={min_genes} genes among the {len(kept)} "
            "annotated variable genes; lower min_genes, raise n_hvgs or give other gene sets"
        )
        raise IntaeError(msg)
    empty = table.index[table["kept"] & (table["kept_genes"] == 0)]
    if len(empty):
        msg = f"keep_sets: no gene of {empty[0]!r} varies in the data; leave the set out"
        raise IntaeError(msg)

    prepared = _without_matrix(adata, names)[:, kept[genes]].copy()
    prepared.varm["annotations"] = chosen[np.ix_(genes, sets)].astype(np.uint8)
    if expression.size_factor is not None:
        prepared.obs[SIZE_FACTOR] = expression.size_factor
    prepared.uns["terms"] = terms[small][sets].to_numpy(str).astype(object)
    prepared.uns["gene_sets"] = table
    prepared.uns.pop("scale", None)
    prepared.uns["prepare"] = report | {
        "n_hvgs": -1 if n_hvgs is None else n_hvgs,
        "min_genes": min_genes,
        "max_genes": -1 if max_genes is None else max_genes,
        "normalize": steps.normalize,
        "log1p": steps.log1p,
        "target_sum": -1.0 if target_sum is None else float(target_sum),
        "layer": layer or "",
        "scale": steps.scale,
        "hvg_flavor": hvg_flavor,
        "keep_genes": np.array(keep_genes, dtype=object),
        "keep_sets": np.array(keep_sets, dtype=object),
    }
    log.info("kept %d genes and %d terms of %d cells", prepared.n_vars, sets.sum(), prepared.n_obs)
    _tell_dropped(table, min_genes)
    places = np.flatnonzero(keep)[genes]
    if out is not None and isinstance(expression, InChunks):  # always one, where there is `out`
        write_h5ad_in_chunks(prepared, expression.chunks(places), out)
        prepared = read_h5ad(out, backed="r")
    else:
        prepared.X = expression.of_genes(places)
    if in_chunks:  # whose values have been looked at
        check_prepared(prepared, values=False)
    else:
        check_prepared(prepared)
    return prepared


def filter_annotations(
    annotations: np.ndarray,
    min_genes: int,
    *,
    keep_genes: np.ndarray | None = None,
    keep_sets: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Keep sets with more than `min_genes` genes and genes in a set, until nothing more falls.

    Parameters
    ----------
    annotations
        genes x terms, 0/1.
    keep_genes, keep_sets
        Boolean masks of what is kept in any case; None for nothing.

    Returns
    -------
    genes, terms
        Boolean masks of what is kept.
    """
    n_genes, n_sets = annotations.shape
    keep_genes = np.zeros(n_genes, dtype=bool) if keep_genes is None else keep_genes
    keep_sets = np.zeros(n_sets, dtype=bool) if keep_sets is None else keep_sets
    genes = np.ones(n_genes, dtype=bool)
    while True:
        sets = keep_sets | (annotations[genes].sum(0) > min_genes)
        kept = genes & (keep_genes | (annotations[:, sets].sum(1) > 0))
        if (kept == genes).all():
            return genes, sets
        genes = kept


def _listed(option: str, names: Iterable[str]) -> list[str]:
    """Return the names as a list; one string would be taken for its letters."""
    if isinstance(names, str):
        msg = f"{option}: give a list of names, such as [{names!r}]"
        raise IntaeError(msg)
    return list(dict.fromkeys(map(str, names)))


def _find_sets(names: list[str], table: pd.DataFrame) -> np.ndarray:
    """Return a mask of these gene sets; each must be known and have a gene in the data."""
    for name in names:
        if name not in table.index:
            msg = (
                f"keep_sets: there is no gene set {name!r}{suggest(name, _few(name, table.index))}"
            )
            raise IntaeError(msg)
        if not table.loc[name, "in_data"]:
            n_genes = table.loc[name, "n_genes"]
            msg = f"keep_sets: none of the {n_genes} genes of {name!r} is in the data"
            raise IntaeError(msg)
    return table.index.isin(names)


def _find_genes(names: list[str], genes: pd.Index) -> np.ndarray:
    """Return a mask of these genes, matched without regard to case; each must be there."""
    upper = genes.astype(str).str.upper()
    for name in names:
        if name.upper() not in upper:
            msg = f"keep_genes: there is no gene {name!r} in the data"
            raise IntaeError(msg + suggest(name.upper(), _few(name.upper(), upper)))
    return np.asarray(upper.isin([name.upper() for name in names]))


def _few(name: str, known: pd.Index) -> list[str]:
    """Return the known names that are like this one, or else the first ones: not thousands."""
    return difflib.get_close_matches(name, known, n=1) or [*known[:5], "..."]


def _that_vary(expression: InMemory | InChunks, genes: np.ndarray, names: pd.Index) -> np.ndarray:
    """Return a mask of those of the genes that vary, telling of the others."""
    varying = expression.that_vary(genes)
    lost = names[genes & ~varying]
    if len(lost):
        log.warning("keep_genes, keep_sets: %d genes are the same in all cells and are left "
                    "out, %s among them", len(lost), lost[0])  # fmt: skip
    return varying


def _without_matrix(adata: AnnData, genes: pd.Index) -> AnnData:
    """Return what stands beside X, in memory."""
    mappings = {slot: _loaded(dict(getattr(adata, slot))) for slot in ("varm", "obsm", "uns")}
    return AnnData(obs=_loaded(adata.obs), var=_loaded(adata.var).set_index(genes), **mappings)


def _loaded(value: Any) -> Any:
    """Return a copy in memory of what may be lazy: a table, an array, or a mapping of such."""
    if hasattr(value, "to_memory"):  # a table of anndata's read_lazy, which is a mapping too
        return value.to_memory()
    if isinstance(value, Mapping):
        return {name: _loaded(part) for name, part in value.items()}
    if is_dask(value):
        return value.compute()
    return value.copy() if isinstance(value, pd.DataFrame) else value


def _why_dropped(table: pd.DataFrame, min_genes: int, max_genes: int | None) -> np.ndarray:
    """Say of each set why it is not kept; nothing of those that are."""
    reasons = {
        "": table["kept"],
        "no gene in the data": table["in_data"] == 0,
        f"more than {max_genes} genes in the data (max_genes)": (
            table["in_data"] > (max_genes or np.inf)
        ),
        f"no more than {min_genes} genes in the data (min_genes)": table["in_data"] <= min_genes,
    }
    last = f"no more than {min_genes} variable genes (min_genes)"
    return np.select(list(reasons.values()), list(reasons), last).astype(object)


def _tell_dropped(table: pd.DataFrame, min_genes: int) -> None:
    """Log how many sets are dropped, and why; warn of those that the variable genes cost."""
    dropped = table[~table["kept"]]
    if len(dropped):
        reasons = "; ".join(f"{n} with {why}" for why, n in dropped["why"].value_counts().items())
        log.info("%d of %d gene sets are dropped: %s", len(dropped), len(table), reasons)
    cost = dropped["why"].str.contains("variable genes").sum()
    if cost:
        log.warning("%d gene sets with more than %d genes in the data are dropped, since too few "
                    "of these are among the most variable ones; uns[\"gene_sets\"] names them, and "
                    "keep_sets keeps them", cost, min_genes)  # fmt: skip


def _count(annotations: sparse.csc_array, axis: int = 0) -> np.ndarray:
    """Return the number of genes of each set, or along axis 1 the number of sets of each gene."""
    return np.asarray(annotations.sum(axis), dtype=int).ravel()


def _check_sets(gene_sets: Mapping[str, list[str]]) -> None:
    """Refuse gene sets without a set, without genes, or with one text for a list of genes."""
    if not gene_sets:
        msg = "gene_sets: holds no gene set; give name -> genes, or the path of a file"
        raise IntaeError(msg)
    for name, genes in gene_sets.items():
        if isinstance(genes, str):
            msg = f"gene_sets: {name!r}: give a list of genes, such as [{genes!r}]"
            raise IntaeError(msg)
    if not any(len(genes) for genes in gene_sets.values()):
        msg = "gene_sets: no set has a gene; give name -> genes"
        raise IntaeError(msg)


def _no_match(cells: pd.Index, genes: pd.Index, gene_sets: Mapping[str, list[str]]) -> str:
    example = list(map(str, next(genes for genes in gene_sets.values() if len(genes))))
    known = {str(gene).upper() for members in gene_sets.values() for gene in members}
    swapped = cells[cells.astype(str).str.upper().isin(known)]
    if len(swapped):
        return (
            f"none of the {len(genes)} genes is in any gene set, but {len(swapped)} names of cells "
            f"are ({', '.join(swapped[:3])}): rows and columns are swapped; say genes_in: rows in "
            "the config, or give adata.T"
        )
    return (
        f"none of the {len(genes)} genes is in any gene set (data: {', '.join(genes[:3])}; "
        f"sets: {', '.join(example[:3])}). Are these Ensembl ids (put the symbols into var_names; "
        "in the config, gene_column: names the column that has them), symbols of a species that "
        "the sets are not for, or are genes in the rows of a table (genes_in: rows)?"
    )
