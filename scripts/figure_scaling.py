"""Draw time and memory of every method against the number of cells."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.cost import plot_scaling
    from intae.figures.style import save_figure

    table, slopes = (pd.read_csv(path) for path in snakemake.input)
    save_figure(plot_scaling(table, slopes, snakemake.params.labels), snakemake.output)
