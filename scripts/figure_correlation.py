"""Draw how far the methods' loadings agree, for the most relevant terms."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.terms import plot_correlation

    correlation, params = pd.read_csv(snakemake.input[0]), snakemake.params
    methods = pd.unique(correlation[["method_a", "method_b"]].to_numpy().ravel())
    reference = params.reference if params.reference in methods else methods[0]
    figure = plot_correlation(correlation, params.labels, reference, params.n_terms)
    save_figure(figure, snakemake.output)
