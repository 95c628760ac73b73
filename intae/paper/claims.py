"""The claims as data, and all of them held against a run."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ..errors import IntaeError, suggest
from .checks import CHECKS
from .checks.register import AGREES, NOT_RUN, PARTLY, Finding
from .run import NotRun, Run

PAPER = Path(__file__).with_name("paper.yaml")
SMALL_PART = 0.1  # of the cells; below, a claim is not confirmed
COLUMNS = (
    "dataset", "paper_dataset", "claim", "source", "statement", "paper", "given_as", "found",
    "verdict", "why", "check",
)  # fmt: skip
KEYS = ("id", "dataset", "source", "claim", "paper", "given_as", "check")
GIVEN_AS = ("printed", "in words", "in a figure", "read off a figure", "in a notebook")


def read_paper(path: str | Path = PAPER) -> dict[str, Any]:
    """Read and check the file of the paper's data sets, Table 1 and claims.

    Parameters
    ----------
    path
        YAML with `datasets` (name -> title, n_cells), `table1` (data set -> minutes of methods) and
        `claims` (a list; each has the keys of KEYS, and in `with` the arguments of its check).

    Raises
    ------
    IntaeError
        If the file cannot be read, or a claim is incomplete, stands there twice, or names an
        unknown check, data set or argument.
    """
    try:
        paper = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        claims, datasets = paper["claims"], paper["datasets"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        msg = f"{path}: is not the claims of a paper ({type(error).__name__}: {error})"
        raise IntaeError(msg) from error
    seen: set[str] = set()
    for claim in claims:
        if fault := _fault(claim, datasets, seen):
            msg = f"{path}: claim {claim.get('id', 'without id')!r}: {fault}"
            raise IntaeError(msg)
        seen.add(claim["id"])
    return paper


def _fault(claim: Mapping[str, Any], datasets: Collection[str], seen: Collection[str]) -> str:
    """Say what is wrong with a claim; empty if nothing is."""
    if missing := [key for key in KEYS if key not in claim]:
        return f"the key {missing[0]!r} is missing"
    if claim["id"] in seen:
        return "stands there twice"
    if claim["dataset"] is not None and claim["dataset"] not in datasets:
        return f"there is no data set {claim['dataset']!r} in the file"
    if claim["given_as"] not in GIVEN_AS:
        return f"given_as {claim['given_as']!r}; known are {', '.join(GIVEN_AS)}"
    if claim["check"] not in CHECKS:
        return f"there is no check {claim['check']!r}{suggest(claim['check'], CHECKS)}"
    try:
        inspect.signature(CHECKS[claim["check"]].judge).bind(None, None, **claim.get("with", {}))
    except TypeError as error:
        return f"with: {error}"
    return ""


def claims_table(paper: Mapping[str, Any], run: Run) -> pd.DataFrame:
    """Hold every claim against a run.

    Parameters
    ----------
    paper
        As :func:`read_paper` returns it.
    run
        The run's tables.

    Returns
    -------
    One row per claim and data set of the run that stands for the claim's; one row with an empty
    `dataset` where none does, or where the claim is about the methods in general. `verdict` is
    agrees, partly, differs or not run; `why` of the latter says what would run it. On less than a
    tenth of the paper's cells a claim agrees partly at best.
    """
    rows = []
    for claim in paper["claims"]:
        targets = [None]
        if claim["dataset"] is not None:
            targets = run.standing_for(claim["dataset"]) or [None]
        for dataset in targets:
            rows.append(_row(claim, dataset, run, paper["datasets"]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _on_a_part(
    finding: Finding, run: Run, dataset: str | None, papers: int | None
) -> tuple[str, str]:
    """Return verdict and reason, tempered where a small part stands for the paper's data."""
    if dataset is None or papers is None or run.n_cells(dataset) >= SMALL_PART * papers:
        return finding.verdict, finding.why
    verdict = PARTLY if finding.verdict == AGREES else finding.verdict
    size = f"These are {run.n_cells(dataset):,} cells for the paper's {papers:,}: a hint at most."
    return verdict, f"{finding.why} {size}"


def _row(
    claim: Mapping[str, Any], dataset: str | None, run: Run, papers: Mapping[str, Any]
) -> dict[str, Any]:
    found, verdict = "", NOT_RUN
    if claim["dataset"] is not None and dataset is None:
        why = (
            f"No data set of this run stands for {claim['dataset']}: add it to `run: datasets:`, "
            f"or set `paper: {claim['dataset']}` in `analyses:` of one that does."
        )
    else:
        try:
            finding = CHECKS[claim["check"]].judge(run, dataset, **claim.get("with", {}))
            size = papers.get(claim["dataset"], {}).get("n_cells")
            found, (verdict, why) = finding.found, _on_a_part(finding, run, dataset, size)
        except NotRun as reason:
            why = str(reason)
    return {
        "dataset": dataset,
        "paper_dataset": claim["dataset"],
        "claim": claim["id"],
        "source": claim["source"],
        "statement": claim["claim"],
        "paper": claim["paper"],
        "given_as": claim["given_as"],
        "found": found,
        "verdict": verdict,
        "why": why,
        "check": claim["check"],
    }
