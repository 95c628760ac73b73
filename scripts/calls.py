"""Hold what methods call in draws with an implanted truth against what they call in the null."""

from _step import step

with step(snakemake):
    from intae.benchmark.tables import read_tables, stack, write_table
    from intae.metrics.implanted import false_discoveries

    parts = []
    for name, about in snakemake.params.calls.items():
        part = false_discoveries(read_tables(about["truth"]), read_tables(about["null"]))
        part.insert(0, "dataset", name)
        part.insert(2, "design", about["design"])
        parts.append(part)
    write_table(stack(parts), snakemake.output[0])
