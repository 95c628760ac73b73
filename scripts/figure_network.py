"""Draw the objective that each autoencoder reaches, and its encoder against the best one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.trust import plot_network

    objective, encoders = (pd.read_csv(path) for path in snakemake.input)
    save_figure(plot_network(objective, encoders, snakemake.params.labels), snakemake.output)
