"""Draw how well single terms separate the condition."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import logging

    import pandas as pd

    from intae.figures.separation import plot_accuracy
    from intae.figures.style import save_figure
    from intae.io import read_h5ad

    accuracy, params = pd.read_csv(snakemake.input.accuracy), snakemake.params
    condition = read_h5ad(snakemake.input.prepared, backed="r").obs["condition"]
    guess = condition.value_counts(normalize=True).max()
    absent = [term for term in params.terms if term not in set(accuracy["term"])]
    if absent:
        logging.warning("not terms of these data, so left out: %s", ", ".join(absent))
    figure = plot_accuracy(
        accuracy, params.labels, params.terms, guess=guess,
        roles=params.roles, permuted=params.permuted,
    )  # fmt: skip
    save_figure(figure, snakemake.output)
