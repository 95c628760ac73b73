"""Draw the correlation of loadings for the most relevant terms as bars, as the talk does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.agreement import plot_correlation_bars
    from intae.figures.style import save_figure

    params = snakemake.params
    figure = plot_correlation_bars(
        pd.read_csv(snakemake.input.correlation),
        pd.read_csv(snakemake.input.seeds),
        params.labels,
        params.reference,
        params.others,
        params.n_terms,
        params.expected,
    )
    save_figure(figure, snakemake.output)
