"""Terms between two conditions, with donors as replicates.

Cells of one donor resemble each other, so a test that counts cells calls any difference between
donors an effect of the condition. Here the loadings of a term are averaged over the cells of a
donor, in each cell type and condition, and donors are what is counted:

    paired    m_d = mean of donor d in the other condition - its mean in the reference;
              t = mean(m) / (sd(m) / sqrt(n)), n - 1 degrees of freedom
    Welch     t = (mean of the others - mean of the references) / sqrt(s1^2/n1 + s2^2/n2)

Both tests, their intervals and the Benjamini-Hochberg adjustment are scipy's.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence

import pandas as pd
from scipy import stats

from .errors import IntaeError, suggest

log = logging.getLogger(__name__)

LEAST_DONORS = 3  # per condition, or with both
LEVEL = 0.95  # of the intervals
COLUMNS = (
    "cell_type", "term", "effect", "low", "high", "t", "p_value", "p_adjusted",
    "mean_reference", "mean_other", "n_reference", "n_other", "test",
)  # fmt: skip


def between_conditions(
    loadings: pd.DataFrame,
    condition: pd.Series,
    sample: pd.Series,
    cell_type: pd.Series | None = None,
    *,
    groups: Sequence[str] | None = None,
    min_cells: int = 10,
) -> pd.DataFrame:
    """Test terms between two conditions in each cell type; see :func:`intae.tl.compare`.

    Parameters
    ----------
    loadings
        cells x terms.
    condition, sample, cell_type
        Of each cell: its condition, donor and cell type. Cells where one is missing are left out.
    groups
        The reference and the other condition; None takes the two that there are.
    min_cells
        Least cells of a donor in a cell type and condition.

    Returns
    -------
    DataFrame with :data:`COLUMNS`, one row per cell type and term.

    Raises
    ------
    IntaeError
        If there are not two conditions, or no cell type has enough donors.
    """
    reference, other = _two(condition, groups)
    by = {"sample": sample.astype(str), "condition": condition.astype(str)}
    by["cell_type"] = "all cells" if cell_type is None else cell_type.astype(str)
    obs = pd.DataFrame(by, index=loadings.index)
    missing = condition.isna() | sample.isna()
    if cell_type is not None:
        missing |= cell_type.isna()
    if missing.any():
        log.warning("%d cells without a label are left out of the comparison", missing.sum())
    take = (~missing & obs["condition"].isin((reference, other))).to_numpy()
    loadings, obs = loadings[take], obs[take]

    tables, refused = [], []
    for name, rows in obs.groupby("cell_type"):
        cells = loadings.loc[rows.index]
        keys = [rows["condition"], rows["sample"]]
        enough = cells.groupby(keys).size() >= min_cells
        means = cells.groupby(keys).mean()[enough]
        a, b = (
            means.loc[g] if g in means.index.get_level_values(0) else means.iloc[:0].droplevel(0)
            for g in (reference, other)
        )
        try:
            table = _test(a, b, min_cells, str(name))
        except IntaeError as error:
            refused.append(str(error))
            continue
        tables.append(table[table["p_value"].notna()])  # those whose loadings vary
    if not tables:
        msg = "no cell type can be compared" if cell_type is not None else "cannot be compared"
        raise IntaeError(f"{msg}: {'; '.join(refused[:3]) or 'no cell has all labels'}")
    for reason in refused:
        log.warning("not compared: %s", reason)
    found = pd.concat(tables, ignore_index=True)
    found["p_adjusted"] = stats.false_discovery_control(found["p_value"]) if len(found) else []
    return found[[*COLUMNS]].sort_values("p_value", ignore_index=True, kind="stable")


def _two(condition: pd.Series, groups: Sequence[str] | None) -> tuple[str, str]:
    """Return the reference and the other condition."""
    kept = condition.dropna()
    categories = getattr(condition, "cat", None)
    known = list(categories.categories) if categories is not None else sorted(kept.unique())
    known = [str(value) for value in known if (kept == value).any()]
    if groups is None and len(known) != 2:
        msg = f"groupby: {condition.name!r} has {len(known)} values ({', '.join(known[:5])}); "
        raise IntaeError(msg + "say groups=(reference, other)")
    chosen = known if groups is None else [str(value) for value in groups]
    if isinstance(groups, str) or len(set(chosen)) != 2 or len(chosen) != 2:
        msg = f"groups: give two conditions, the reference first, not {groups!r}"
        raise IntaeError(msg)
    for value in chosen:
        if value not in known:
            msg = f"groups: {condition.name!r} has no value {value!r}{suggest(value, known)}"
            raise IntaeError(msg)
    return chosen[0], chosen[1]


def _test(a: pd.DataFrame, b: pd.DataFrame, min_cells: int, cell_type: str) -> pd.DataFrame:
    """Compare means of donors (donors x terms) in the reference with those in the other condition.

    Raises
    ------
    IntaeError
        If there are too few donors, saying how many.
    """
    both = a.index.intersection(b.index)
    if len(both):
        alone = len(a) + len(b) - 2 * len(both)
        if len(both) < LEAST_DONORS:
            msg = f"{cell_type}: donors with both conditions: {len(both)}, with one: {alone} "
            msg += f"(with at least {min_cells} cells); {LEAST_DONORS} with both are needed"
            raise IntaeError(msg)
        if alone:
            log.warning(
                "%s: donors with one condition are left out of the paired test: %d",
                cell_type, alone,
            )  # fmt: skip
        a, b = a.loc[both], b.loc[both]
    elif min(len(a), len(b)) < LEAST_DONORS:
        msg = f"{cell_type}: {len(a)} and {len(b)} donors (with at least {min_cells} cells)"
        raise IntaeError(f"{msg}; {LEAST_DONORS} per condition are needed")
    with warnings.catch_warnings():  # of terms whose loadings do not vary, which are left out
        warnings.simplefilter("ignore", RuntimeWarning)
        if len(both):
            result = stats.ttest_rel(b.to_numpy(), a.to_numpy())
        else:
            result = stats.ttest_ind(b.to_numpy(), a.to_numpy(), equal_var=False)
        interval = result.confidence_interval(LEVEL)
    return pd.DataFrame({
        "cell_type": cell_type, "term": a.columns, "effect": (b.mean() - a.mean()).to_numpy(),
        "low": interval.low, "high": interval.high,
        "t": result.statistic, "p_value": result.pvalue,
        "mean_reference": a.mean().to_numpy(), "mean_other": b.mean().to_numpy(),
        "n_reference": len(a), "n_other": len(b), "test": "paired" if len(both) else "Welch",
    })  # fmt: skip
