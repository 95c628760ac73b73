"""Draw precision against recall of what was planted."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.recall import plot_recovery_curves
    from intae.figures.style import save_figure

    draws = pd.concat([pd.read_csv(path) for path in snakemake.input])
    save_figure(plot_recovery_curves(draws, snakemake.params.labels), snakemake.output)
