"""What the methods read of a truth implanted in real counts, and where nothing was implanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from ..metrics.implanted import ORACLE, PLAIN_MEAN
from .draws import Line, Panel, draw_means, plot_draws
from .style import NO_TERMS, methods_in, without_data

RATE = "false discovery rate"
PANELS = (
    Panel("top1", "share of sets whose own term\nfollows the activity best", 1.0),
    Panel("r", "correlation of that term\nwith the activity, |r|", 1.0),
    Panel("followed", "unrelated terms that follow,\nper set"),
    Panel("siblings", "related terms that follow as well,\nper set"),
    Panel("called", "share of implanted sets\nthat the method calls", 1.0),
    Panel(RATE, "false discovery rate of its calls,\nagainst random gene sets", 1.0),
)
LINE = "oracle: ridge regression on the set's own genes"
# of what a null's followers follow
FOLLOWED = {"depth": "terms that follow depth", "": "terms that follow random labels"}


def plot_implanted(
    table: pd.DataFrame, labels: Mapping[str, str], calls: pd.DataFrame | None = None
) -> Figure:
    """Draw how far methods read an implanted truth: one row per method, one panel per score.

    Parameters
    ----------
    table
        The table implanted.csv of the draws of one entry; the oracle is a dashed line. A panel
        without values is left out.
    labels
        Method -> its name in figures, for all methods of the config, in order.
    calls
        The rows of implanted_calls.csv of the entry: the false discovery rate of each method, from
        the least to the largest value over pairs of draws. None where the run has no matched null.
    """
    labels = _with_plain_mean(labels)
    draws = draw_means(table)
    if calls is not None:
        draws = pd.concat([draws, _rates(calls)])
    told = table[(table["method"] == ORACLE) & (table["metric"] == "r")]["value"]
    lines = [Line("r", told.mean(), "--", LINE)] if len(told) else []
    return _plot(draws, labels, PANELS, lines)


def plot_implanted_null(table: pd.DataFrame, labels: Mapping[str, str], kind: str) -> Figure:
    """Draw what methods find where nothing was implanted, so that all of it is false.

    Parameters
    ----------
    table
        The table implanted.csv of the draws of one entry. The number of all terms is a dashed line.
    labels
        See :func:`plot_implanted`.
    kind
        Which null it is: labels, sets or depth.
    """
    followed = Panel("followed", FOLLOWED.get(kind, FOLLOWED[""]))
    called = Panel("called", "terms that the method calls")
    wrong = Panel("called followed", "of these, terms\nthat the method calls")
    panels = [followed, wrong] if kind == "depth" else [called, followed]
    number = table.loc[table["metric"] == "unrelated", "value"].mean()
    lines = [Line(panel.metric, number, "--", "all terms") for panel in panels]
    return _plot(draw_means(table), _with_plain_mean(labels), panels, lines)


def _plot(
    draws: pd.DataFrame, labels: Mapping[str, str], panels: Sequence[Panel], lines: Sequence[Line]
) -> Figure:
    methods, known = methods_in(draws, labels), set(draws["metric"])
    panels = [panel for panel in panels if panel.metric in known]
    if not methods or not panels:
        return without_data(NO_TERMS)
    return plot_draws(draws, methods, labels, panels, lines)


def _with_plain_mean(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(labels) if PLAIN_MEAN in labels else {**labels, PLAIN_MEAN: "plain mean"}


def _rates(calls: pd.DataFrame) -> pd.DataFrame:
    """Return each method's rate over all draws as the mean, and its two ends as values."""
    ends = calls.melt(
        ["dataset", "method", "false_discovery_rate"], ["fdr_min", "fdr_max"], value_name="value"
    ).dropna(subset="value")
    return ends.rename(columns={"false_discovery_rate": "mean"}).assign(metric=RATE)
