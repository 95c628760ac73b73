"""Score the ideas of the talk that do not work beside the autoencoder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))

from intae.benchmark.logs import log_to

with log_to(snakemake.log[0]):
    import pandas as pd

    import intae
    from intae.benchmark.fits import read_fit
    from intae.benchmark.tables import write_table
    from intae.io import read_h5ad
    from intae.metrics.optimality import own_scores, scores_from_tables
    from intae.metrics.terms import label

    files, tables = snakemake.input, []
    prepared = read_h5ad(files.prepared)
    for path, saved in zip(files.fits, files.models, strict=True):
        fit = read_fit(path)
        model = getattr(intae, fit.uns["fit"]["model"]).load(saved)
        tables.append(label(own_scores(model, prepared), fit))
    others = {name: pd.read_csv(files[name]) for name in files.keys() & {"accuracy", "recovery"}}
    table = scores_from_tables(
        snakemake.params.methods, snakemake.params.chosen, terms=pd.read_csv(files.terms),
        stability=pd.read_csv(files.stability), **others,
    )  # fmt: skip
    table.insert(0, "dataset", snakemake.wildcards.dataset)
    write_table(pd.concat([*tables, table]), snakemake.output[0])
