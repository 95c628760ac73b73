"""Make the tables that are known of one fit by itself."""

from _step import step

with step(snakemake):
    from intae.base import limit_threads
    from intae.benchmark.score import score
    from intae.benchmark.tables import write_scores
    from intae.fits import is_finished, read_facts, read_fit, read_labels

    files, told, tables = snakemake.input, snakemake.params, {}
    if is_finished(read_facts(files.facts)):
        with limit_threads(snakemake.threads):
            fit = read_fit(files.model, read_labels(files.prepared))
            tables = score(fit, files.prepared, told.tables, told.settings)
    else:
        print("stopped by its budget: only its runtime is used")
    write_scores(tables, snakemake.output[0])
