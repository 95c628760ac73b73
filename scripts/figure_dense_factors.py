"""Draw which term separates the condition, by number of dense factors and by seed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.separation import plot_dense_factors
    from intae.figures.style import save_figure
    from intae.io import read_h5ad

    best, accuracy = pd.read_csv(snakemake.input.best), pd.read_csv(snakemake.input.accuracy)
    condition = read_h5ad(snakemake.input.prepared, backed="r").obs["condition"]
    guess = condition.value_counts(normalize=True).max()
    params = snakemake.params
    figure = plot_dense_factors(best, accuracy, params.labels, params.terms, guess)
    save_figure(figure, snakemake.output)
