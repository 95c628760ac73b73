"""Make the first page of a data set: its answer, by the recommended method."""

from _step import step

with step(snakemake):
    import matplotlib as mpl

    mpl.use("Agg")  # no windows

    import pandas as pd

    from intae.figures.sentences import write_sentences
    from intae.figures.umap import plot_umap
    from intae.fits import read_fit
    from intae.io import read_h5ad
    from intae.page.answer import find_answer
    from intae.page.answer_page import render_answer, summarise
    from intae.page.embedding import read_embedding, tell_of
    from intae.page.render import write_page

    files, told = dict(snakemake.input.items()), snakemake.params.facts
    prepared = read_h5ad(files.pop("prepared"), backed="r")
    fit = read_fit(files.pop("fit"), prepared.obs)
    embedding = read_embedding(files.pop("map"))
    tables = {name: pd.read_csv(path) for name, path in files.items()}
    answer = find_answer(fit, tables, sizes=prepared.shape, **told)
    shown = [line.term for line in answer.lines[: snakemake.params.n_maps]]
    maps = plot_umap(embedding, fit.obs, fit.loadings, shown, told["conditions"])
    page = render_answer(answer, maps, tell_of(embedding, prepared.n_obs))
    write_page(page, snakemake.output.page)
    write_sentences({"summary": summarise(answer)}, snakemake.output.summary)
