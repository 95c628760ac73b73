"""Fit one method to one data set from one seed; score the fit where that is asked for as well."""

from _step import step

with step(snakemake):
    from pathlib import Path

    from intae.base import limit_threads
    from intae.benchmark.training import train
    from intae.fits import write_fit
    from intae.io import read_h5ad

    told, names, outputs = snakemake.params, snakemake.wildcards, snakemake.output
    (prepared,) = snakemake.input
    model, about = train(
        read_h5ad(prepared), told.model, told.params,
        seed=int(names.seed), threads=snakemake.threads,
        checkpoint=Path(outputs.model).with_name("checkpoint.pt"),
    )  # fmt: skip
    about |= {"dataset": names.dataset, "method": names.method, "revision": told.revision}
    write_fit(model, outputs.model, about)

    if "scores" in outputs.keys():
        from intae.benchmark.score import write_scores_of

        with limit_threads(snakemake.threads):
            write_scores_of(outputs.model, prepared, told.tables, told.settings, outputs.scores)
