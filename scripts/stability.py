"""Join what is known of stability: between seeds, halves of the cells and of the donors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    from intae.benchmark.fits import by_method, read_finished_fits
    from intae.benchmark.tables import stack, write_table
    from intae.metrics.agreement import between_seeds

    seeds = by_method(read_finished_fits(snakemake.input.fits))
    parts = [(method, between_seeds(fits)) for method, fits in seeds.items()]
    halved = zip(snakemake.params.halved, snakemake.input.halves, strict=True)
    parts += [(method, pd.read_csv(path)) for method, path in halved]
    for method, part in parts:
        part.insert(0, "dataset", snakemake.wildcards.dataset)
        part.insert(1, "method", method)
    write_table(stack((part for _, part in parts), "stability"), snakemake.output[0])
