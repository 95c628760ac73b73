"""Draw the share of variance that methods reconstruct in unseen cells."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.figures.held_out import plot_reconstruction
    from intae.figures.style import save_figure

    reconstruction = pd.concat([pd.read_csv(path) for path in snakemake.input])
    save_figure(plot_reconstruction(reconstruction, snakemake.params.labels), snakemake.output)
