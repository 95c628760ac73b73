"""Fit one method to one data set from one seed; score the fit where that is asked for as well."""

from _step import chunks, step

with step(snakemake):
    from pathlib import Path

    from intae.base import limit_threads
    from intae.benchmark.reading import cells_of
    from intae.benchmark.training import train
    from intae.fits import write_fit

    told, names, outputs = snakemake.params, snakemake.wildcards, snakemake.output
    (prepared,) = snakemake.input
    with cells_of(prepared, **chunks(snakemake)) as cells:
        model, about = train(
            cells, told.model, told.params,
            seed=int(names.seed), threads=snakemake.threads,
            checkpoint=Path(outputs.model).with_name("checkpoint.pt"),
        )  # fmt: skip
    about |= {"dataset": names.dataset, "method": names.method, "revision": told.revision}
    write_fit(model, outputs.model, about)

    if "scores" in outputs.keys():
        from intae.benchmark.score import write_scores_of

        with limit_threads(snakemake.threads):
            write_scores_of(outputs.model, prepared, told.tables, told.settings, outputs.scores)
