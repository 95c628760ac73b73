"""Draw what depends on the parameters of a sweep."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.sweep import plot_sweep

    table = pd.read_csv(snakemake.input[0])
    table = table[table["sweep"] == snakemake.wildcards.sweep]
    figure = plot_sweep(table, snakemake.params.entry["grid"], snakemake.params.label)
    save_figure(figure, snakemake.output)
