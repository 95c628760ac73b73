"""Draw the ideas of the talk that do not work beside the autoencoder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.style import save_figure
    from intae.figures.trust import plot_ablation

    ablation = pd.read_csv(snakemake.input[0])
    save_figure(plot_ablation(ablation, snakemake.params.labels), snakemake.output)
