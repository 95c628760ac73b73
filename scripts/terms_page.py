"""Make the interactive page of a data set's terms."""

from _step import step

with step(snakemake):
    import logging

    import pandas as pd

    from intae.fits import read_finished_fits
    from intae.io import read_h5ad
    from intae.page.embedding import read_embedding
    from intae.page.gather import Source, gather, read_origins
    from intae.page.render import render_page, write_page

    files, told = dict(snakemake.input.items()), snakemake.params
    prepared = read_h5ad(files.pop("prepared"), backed="r")
    fits = read_finished_fits(files.pop("fits"), prepared.obs)
    sets = zip(files.pop("files"), told.prefixes, told.collections, strict=True)
    embedding = read_embedding(files.pop("map"))
    tables = {name: pd.read_csv(path) for name, path in files.items()}
    facts, numbers = gather(
        fits, prepared, tables, dataset=snakemake.wildcards.dataset, labels=told.labels,
        controls=told.controls, n_cells=told.n_cells, recommended=told.recommended,
        embedding=embedding, conditions=told.conditions,
        origins=read_origins(Source(*entry) for entry in sets),
    )  # fmt: skip
    page = render_page(facts, numbers, f"Terms of {snakemake.wildcards.dataset}")
    logging.info("%d methods, %.1f MB", len(facts["methods"]), len(page) / 1e6)
    write_page(page, snakemake.output[0])
