"""Normalise, and filter to annotated highly variable genes and the terms they fill."""

from _step import chunks, step

with step(snakemake):
    from intae import prepare
    from intae.benchmark.plan import named_terms, terms_by_key
    from intae.benchmark.reading import cells_of
    from intae.gene_sets import merge_gene_sets, read_gene_sets
    from intae.io import is_large, write_h5ad
    from intae.prepared import check_named, check_prepared, gene_set_table, tell_lost
    from intae.sources import AS_PREPARED
    from intae.variable_genes import IN_CHUNKS

    entry, loaded, out = snakemake.params.entry, snakemake.input.loaded, snakemake.output[0]
    as_prepared = entry.pop("source") in AS_PREPARED
    chunked = entry.pop("chunked", None)
    if chunked is None:
        chunked = not as_prepared and entry["hvg_flavor"] in IN_CHUNKS and is_large(loaded)
    with cells_of(loaded, **chunks(snakemake) | {"chunked": chunked}) as prepared:
        if as_prepared:
            check_prepared(prepared)
        else:
            files = zip(snakemake.input.gene_sets, snakemake.params.prefixes, strict=True)
            gene_sets = merge_gene_sets(
                read_gene_sets(file, remove_prefix=prefix, genes=prepared.var_names)
                for file, prefix in files
            )
            prepared = prepare(
                prepared, gene_sets, scale=prepared.uns.get("scale"),
                out=out if chunked else None, **entry,
            )  # fmt: skip
    # of the config, not of the parameters: other terms to look at must not prepare again
    dataset = snakemake.wildcards.dataset
    analysis = snakemake.config.get("analyses", {}).get(dataset) or {}
    table = gene_set_table(prepared).set_index("name")
    check_named(
        terms_by_key(analysis), table.index, f"config, analyses: {dataset}",
        table.loc[~table["kept"].astype(bool), "why"].to_dict(),
    )  # fmt: skip
    tell_lost(prepared, named_terms(analysis))
    if not chunked:
        write_h5ad(prepared, out)
