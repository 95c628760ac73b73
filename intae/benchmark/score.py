"""What is known of one fit by itself: a table per question, as rows of one table.

To add a metric, write its function in :mod:`intae.metrics`, put it into :data:`SCORERS` here, and
name it in :data:`.jobs.TABLES` and :data:`.jobs.SCORES`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from ..fits import Fit, facts_path, is_finished, read_facts, read_fit, read_labels
from ..io import is_large, read_h5ad
from ..metrics.corrupted import corrupted
from ..metrics.families import families_of
from ..metrics.implanted import implanted
from ..metrics.known_pairs import known_pairs
from ..metrics.optimality import Yardstick, needed_terms, own_scores
from ..metrics.separation import separation_table, term_accuracy
from ..metrics.terms import corrected_genes, history_of, terms_of
from ..metrics.truth import false_positives, recovery, recovery_curves
from ..prepared import annotation_table
from .tables import label, write_scores

log = logging.getLogger(__name__)


@dataclass
class Scored:
    """A fit, the data it was fitted to, and what the config says of scoring.

    Attributes
    ----------
    fit
        The fit.
    path
        Of the prepared data; they are read only if a score needs them.
    settings
        `share` and `fdr` of false positives, `lambdas` of the common objective, `follows` of
        implanted activities, `known_pairs` where the data set has some.
    """

    fit: Fit
    path: str | Path
    settings: Mapping[str, Any]

    @cached_property
    def prepared(self) -> AnnData:
        """The prepared data; of many cells X stays in the file."""
        return read_h5ad(self.path, backed="r" if is_large(self.path) else None)

    @cached_property
    def yardstick(self) -> Yardstick:
        """Equation 3 at the common penalties."""
        return Yardstick(self.prepared, self.settings["lambdas"])


def _accuracy(s: Scored) -> pd.DataFrame:
    table = term_accuracy(s.fit.loadings, s.fit.obs["condition"], s.fit.obs.get("donor"))
    table.insert(1, "label", "condition")
    return table


def _separation(s: Scored) -> pd.DataFrame:
    labels = s.fit.obs[[name for name in ("condition", "cell_type") if name in s.fit.obs]]
    return separation_table(s.fit.loadings, labels)


def _false_positives(s: Scored) -> pd.DataFrame:
    return false_positives(s.fit, s.prepared, s.settings["share"], s.settings["fdr"])


SCORERS: dict[str, Callable[[Scored], pd.DataFrame]] = {
    "terms": lambda s: terms_of(s.fit),
    "history": lambda s: history_of(s.fit),
    "corrections": lambda s: corrected_genes(s.fit),
    "accuracy": _accuracy,
    "separation": _separation,
    "known_pairs": lambda s: known_pairs(s.fit, s.settings["known_pairs"]),
    "objective": lambda s: pd.DataFrame([s.yardstick.objective(s.fit.model)]),
    "best_encoder": lambda s: s.yardstick.encoder_agreement(s.fit.model),
    "necessity": lambda s: needed_terms(s.fit.model, s.prepared),
    "families": lambda s: families_of(s.fit, annotation_table(s.prepared)),
    "ablation": lambda s: own_scores(s.fit.model, s.prepared),
    "recovery": lambda s: recovery(s.fit, s.prepared),
    "recovery_curves": lambda s: recovery_curves(s.fit, s.prepared),
    "false_positives": _false_positives,
    "implanted": lambda s: implanted(s.fit, s.prepared, s.settings["follows"]),
    "corrupted": lambda s: corrupted(s.fit, s.prepared),
}


def score(
    fit: Fit, path: str | Path, tables: Iterable[str], settings: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Make the tables of one fit.

    Parameters
    ----------
    fit
        The fit.
    path
        Of the prepared data that it was fitted to.
    tables
        Names of the tables, of :data:`SCORERS`.
    settings
        See :class:`Scored`.

    Returns
    -------
    Table -> its rows, with dataset, method and seed in front.
    """
    scored, made = Scored(fit, path, settings), {}
    for name in tables:
        made[name] = label(SCORERS[name](scored), fit.about)
        log.info("%s: %d rows", name, len(made[name]))
    return made


def write_scores_of(
    model: str | Path,
    prepared: str | Path,
    tables: Iterable[str],
    settings: Mapping[str, Any],
    path: str | Path,
) -> None:
    """Score a fit that lies in files, and write its tables; none where its budget ended it.

    Parameters
    ----------
    model
        Of the fit, its `fit.json` beside it.
    prepared
        The data that it was fitted to.
    tables, settings
        See :func:`score`.
    path
        Of the tables' file: see :func:`.tables.write_scores`.
    """
    made: dict[str, pd.DataFrame] = {}
    if is_finished(read_facts(facts_path(model))):
        made = score(read_fit(model, read_labels(prepared)), prepared, tables, settings)
    else:
        log.info("stopped by its budget: only its runtime is used")
    write_scores(made, path)
