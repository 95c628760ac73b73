"""The table and the figure of `peers.py`, from the results that it keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from intae.io import whole_file

# measure -> its title in the figure, whether more is better
MEASURES = {
    "seconds": ("seconds", False),
    "peak_mb": ("peak MB", False),
    "groups_top1": ("implanted groups: top1", True),
    "groups_r": ("implanted groups: r", True),
    "graded_top1": ("implanted graded: top1", True),
    "graded_r": ("implanted graded: r", True),
    "average_precision": ("simulation: average precision", True),
    "false_discoveries": ("false discoveries", False),
    "seeds_r": ("seeds: median |r|", True),
    "seeds_jaccard": ("seeds: Jaccard", True),
    "seeds_shared": ("seeds: shared of ten", True),
    "halves_r": ("halves: median |r|", True),
    "halves_jaccard": ("halves: Jaccard", True),
    "halves_shared": ("halves: shared of ten", True),
    "interferon_auroc": ("interferon: AUROC, unseen donors", True),
    "variance": ("variance of unseen cells", True),
}


def cell(folder: Path, method: str, key: str) -> Path:
    """Return where a result is kept."""
    return folder / method / f"{key}.json"


def read(path: Path) -> dict[str, Any]:
    """Return a result; nothing where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def summary(folder: Path, method: str, label: str) -> list[dict[str, Any]]:
    """Return the rows of a method: one per measure that was made."""
    cells = {path.stem: read(path) for path in sorted((folder / method).glob("*.json"))}
    whole = cells.get("whole", {})
    note = ""
    if whole.get("projected"):
        note = (
            f"stopped by its budget after {whole['iterations']} epochs; all that it may make would "
        )
        note += f"take {whole['all_epochs']:.0f} s"
    rows: list[tuple[str, float, int]] = []
    for name in ("seconds", "peak_mb", "interferon_auroc"):
        if name in whole:
            rows.append((name, whole[name], 1))

    def of(kind: str, name: str) -> list[tuple[float, float]]:
        found = [c for key, c in cells.items() if key.partition("-")[0] == kind and name in c]
        return [(c[name], c.get("sets", c.get("pairs", 1))) for c in found]

    def mean(kind: str, name: str) -> float:
        values = np.array(of(kind, name))
        return float(np.average(values[:, 0], weights=values[:, 1])) if len(values) else np.nan

    for design in ("groups", "graded"):
        for name in ("top1", "r"):
            rows.append((f"{design}_{name}", mean(design, name), len(of(design, name))))
    precision = "average precision of active terms"
    rows.append(("average_precision", mean("planted", precision), len(of("planted", precision))))
    called, null = (mean(kind, "share_called") for kind in ("groups", "null"))
    if 0 < called < 1:
        n_null = len(of("null", "share_called"))
        rows.append(("false_discoveries", min(1.0, null / called), n_null))
    for kind in ("seeds", "halves"):
        for name in ("r", "jaccard", "shared"):
            rows.append((f"{kind}_{name}", mean(kind, f"{kind}_{name}"), 1))
    for name in ("interferon_auroc", "variance"):
        rows.append((name, mean("folds", name), len(of("folds", name))))
    return [
        {"method": label, "measure": name, "value": value, "n": n, "note": note}
        for name, value, n in rows
        if not np.isnan(value)
    ]


def best_of_five(rows: list[list[dict[str, Any]]], label: str) -> list[dict[str, Any]]:
    """Return of each measure its best value over five penalties, chosen by the truth itself."""
    table = pd.DataFrame([row for part in rows for row in part])
    best = []
    for name, part in table.groupby("measure") if len(table) else ():
        place = part["value"].idxmax() if MEASURES[name][1] else part["value"].idxmin()
        note = "each measure's own best of five penalties"
        best.append(part.loc[place].to_dict() | {"method": f"{label}, best of 5", "note": note})
    return best


def make_table(folder: Path, labels: dict[str, str], others: dict[str, list[str]]) -> pd.DataFrame:
    """Return the tidy table of all results that there are, and write it.

    Parameters
    ----------
    folder
        Where results are kept.
    labels
        Method -> its name in the table.
    others
        Method -> the same method with other penalties.
    """
    rows = []
    for method, label in labels.items():
        rows += summary(folder, method, label)
        rows += best_of_five([summary(folder, m, label) for m in others.get(method, [])], label)
    table = pd.DataFrame(rows, columns=["method", "measure", "value", "n", "note"])
    with whole_file(folder / "peers.csv") as part:
        table.to_csv(part, index=False)
    return table


def print_table(table: pd.DataFrame) -> None:
    """Print the table with a row a method, and its notes."""
    order = list(dict.fromkeys(table["method"]))
    wide = table.pivot(index="method", columns="measure", values="value").loc[order]
    wide = wide[[name for name in MEASURES if name in wide]]
    digits = {"seconds": 1, "peak_mb": 0, "seeds_shared": 0, "halves_shared": 0}
    shown = pd.DataFrame(
        {n: ["" if pd.isna(v) else f"{v:.{digits.get(n, 2)}f}" for v in wide[n]] for n in wide},
        index=wide.index,
    )
    stopped_ones = table[table["note"].str.startswith("stopped")]["method"].unique()
    shown.loc[stopped_ones, "seconds"] = ">" + shown.loc[stopped_ones, "seconds"]
    print(shown.to_string())
    for method, note in table[["method", "note"]].drop_duplicates().to_numpy():
        if note:
            print(f"{method}: {note}")


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw a panel a measure, a row a method."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    order = list(dict.fromkeys(table["method"]))[::-1]
    names = [name for name in MEASURES if name in set(table["measure"])]
    n_rows = -(-len(names) // 4)
    fig, axes = plt.subplots(
        n_rows, 4, figsize=(12, (0.22 * len(order) + 0.9) * n_rows), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for ax, name in zip(axes.flat, names, strict=False):
        part = table[table["measure"] == name]
        place = [order.index(method) for method in part["method"]]
        hollow = part["note"].str.startswith("stopped")
        colours = np.where(hollow, "white", "#0173B2")
        ax.scatter(part["value"], place, c=colours, edgecolors="#0173B2", s=22, zorder=2)
        ax.set_yticks(range(len(order)), order, fontsize=7)
        ax.tick_params(axis="x", labelsize=7)
        ax.grid(axis="y", color="0.9", zorder=0)
        title, more = MEASURES[name]
        ax.set_title(title + ("" if more else ", less is better"), fontsize=8)
        if name == "seconds":
            ax.set_xscale("log")
        elif name != "peak_mb":
            whole = 10 if name.endswith("shared") else 1
            ax.set_xlim(min(0, part["value"].min()) - 0.03 * whole, 1.03 * whole)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    fig.supxlabel("hollow: a budget ended the fit, which takes longer", fontsize=8)
    fig.savefig(path, dpi=150)
    plt.close(fig)
