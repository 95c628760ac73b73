"""Draw how far the methods' loadings agree, for the most relevant terms."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.terms import plot_correlation

    correlation, params = pd.read_csv(snakemake.input.correlation), snakemake.params
    shown = correlation[["method_a", "method_b"]].isin(params.methods).all(axis=1)
    figure = plot_correlation(
        correlation[shown], params.labels, params.reference, params.n_terms, params.expected,
        seeds=pd.read_csv(snakemake.input.seeds),
    )  # fmt: skip
    save_figure(figure, snakemake.output)
