"""Draw the figures of a data set, of a simulation or of the run."""

from _step import step

with step(snakemake):
    from intae.benchmark.drawing import draw_all
    from intae.benchmark.inputs import Inputs
    from intae.figures.sentences import bold, write_sentences
    from intae.fits import facts_path, read_facts

    files, told = dict(snakemake.input.items()), snakemake.params
    prepared, fits = files.pop("prepared", None), files.pop("fits", ())
    by_method = {}
    for path in fits:
        by_method.setdefault(read_facts(facts_path(path))["method"], []).append(path)
    tables = {name: [paths] if isinstance(paths, str) else paths for name, paths in files.items()}
    pairs = zip(
        *([paths] if isinstance(paths, str) else paths
          for paths in (snakemake.output.png, snakemake.output.pdf)),
        strict=True,
    )  # fmt: skip
    found = draw_all(told.rows, Inputs(tables, prepared, by_method), told.facts, pairs)
    sentences = {name: bold(text) for name, text in found.items() if text}
    write_sentences(sentences, snakemake.output.findings)
