"""Make both pages of a data set: its answer, by the recommended method, and that of all terms."""

from _step import step

with step(snakemake):
    import matplotlib as mpl

    mpl.use("Agg")  # no windows

    import pandas as pd

    from intae.figures.sentences import write_sentences
    from intae.figures.umap import plot_umap
    from intae.fits import by_method, is_finished, read_fit
    from intae.io import read_h5ad
    from intae.page.answer import find_answer
    from intae.page.answer_page import render_answer, summarise
    from intae.page.embedding import read_embedding, tell_of
    from intae.page.gather import Source, gather, read_origins
    from intae.page.render import render_page, write_page

    files, told, outputs = dict(snakemake.input.items()), snakemake.params, snakemake.output
    prepared = read_h5ad(files.pop("prepared"), backed="r")
    fits = [read_fit(path, prepared.obs) for path in files.pop("fits")]
    origins = read_origins(
        Source(*entry)
        for entry in zip(files.pop("files"), told.prefixes, told.collections, strict=True)
    )
    embedding = read_embedding(files.pop("map"))
    tables = {name: pd.read_csv(path) for name, path in files.items()}

    first = by_method(fits)[told.recommended][0]
    answer = find_answer(first, tables, sizes=prepared.shape, **told.facts)
    shown = [line.term for line in answer.lines[: told.n_maps]]
    maps = plot_umap(embedding, first.obs, first.loadings, shown, told.facts["conditions"])
    page = render_answer(answer, maps, tell_of(embedding, prepared.n_obs))
    write_page(page, outputs.answer)
    write_sentences({"summary": summarise(answer)}, outputs.summary)

    finished = [fit for fit in fits if is_finished(fit.about)]
    about, numbers = gather(
        finished, prepared, tables, dataset=told.facts["dataset"], labels=told.facts["labels"],
        controls=told.controls, n_cells=told.n_cells, recommended=told.recommended,
        embedding=embedding, conditions=told.facts["conditions"], origins=origins,
    )  # fmt: skip
    write_page(render_page(about, numbers, f"Terms of {told.facts['dataset']}"), outputs.terms)
