"""Place the cells of a data set on a map, for its pages."""

from _step import step

with step(snakemake):
    from intae.page.embedding import write_embedding

    write_embedding(snakemake.input[0], snakemake.output[0], seed=snakemake.params.seed)
