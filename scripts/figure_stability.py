"""Draw how far the methods' answers depend on seed, cells and donors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.stability import plot_stability
    from intae.figures.style import save_figure

    stability = pd.read_csv(snakemake.input[0])
    params = snakemake.params
    figure = plot_stability(stability, params.labels, roles=params.roles, permuted=params.permuted)
    save_figure(figure, snakemake.output)
