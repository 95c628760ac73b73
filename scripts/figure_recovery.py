"""Draw what the methods recover of a planted truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.recovered import plot_recovery
    from intae.figures.style import save_figure

    draws = pd.concat([pd.read_csv(path) for path in snakemake.input])
    save_figure(plot_recovery(draws, snakemake.params.labels), snakemake.output)
