"""Draw the agreement of every two methods."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.agreement import plot_agreement
    from intae.figures.style import save_figure

    agreement, params = pd.read_csv(snakemake.input[0]), snakemake.params
    save_figure(plot_agreement(agreement, params.labels, params.methods), snakemake.output)
