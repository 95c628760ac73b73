"""Draw what the most relevant terms are needed for, and what stands in for them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.trust import plot_necessity

    necessity, params = pd.read_csv(snakemake.input[0]), snakemake.params
    save_figure(plot_necessity(necessity, params.labels, params.n_terms), snakemake.output)
