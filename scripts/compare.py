"""Compare the fits of a data set, and put what is known of each into the data set's tables."""

from _step import step

with step(snakemake):
    from intae.base import limit_threads
    from intae.benchmark.compare import Comparison
    from intae.benchmark.tables import write_run_tables

    inputs, outputs = dict(snakemake.input.items()), dict(snakemake.output.items())
    of_run = {name: outputs.pop(name) for name in list(outputs) if name.startswith("run_")}
    with limit_threads(snakemake.threads):
        Comparison(inputs, dict(snakemake.params.items()), outputs).write()
    if of_run:  # the only data set: its tables are the run's
        parts = {name: [path] for name, path in outputs.items()}
        paths = {name.removeprefix("run_"): path for name, path in of_run.items()}
        write_run_tables(inputs["facts"], parts, paths)
