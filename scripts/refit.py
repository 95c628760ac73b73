"""Fit a method again: to halves of the cells, without a fold, to a part, or at other parameters."""

from _step import step

with step(snakemake):
    from pathlib import Path

    import pandas as pd

    from intae.base import limit_threads
    from intae.benchmark import refits
    from intae.benchmark.kept_fits import KeptFits
    from intae.benchmark.tables import FIT_COLUMNS, write_table
    from intae.benchmark.training import make_model, train, training_data
    from intae.fits import about_fit, load
    from intae.io import read_h5ad
    from intae.metrics.cost import SCALING_COLUMNS, scaling_row

    files, told, names = snakemake.input, snakemake.params, snakemake.wildcards
    # a killed step goes on from these
    checkpoint = Path(snakemake.output[0]).with_suffix(".checkpoint.pt")
    kept = KeptFits(checkpoint.with_suffix(""))

    def halves():
        """Compare two fits per division of the cells, and of the donors."""
        prepared = training_data(read_h5ad(files[0]), told.params, told.seed)

        def make():
            return make_model(told.model, told.params, seed=told.seed, threads=snakemake.threads)

        whole = refits.families_of_all_cells(prepared, make, kept.fit)
        kinds = [False, True] if "donor" in prepared.obs else [False]
        parts = [
            refits.between_halves(prepared, make, told.halves, donors=d, fit=kept.fit, whole=whole)
            for d in kinds
        ]
        write_table(pd.concat(parts), snakemake.output[0])

    def folds():
        """Score a fit without each fold on the cells of the fold."""
        seed = int(names.seed)
        prepared = training_data(read_h5ad(files[0]), told.params, seed)

        def make():
            return make_model(told.model, told.params, seed=seed, threads=snakemake.threads)

        tables = refits.unseen_cells(prepared, make, told.folds, fit=kept.fit)
        tables.accuracy.insert(1, "label", "condition")
        for name, table in tables._asdict().items():
            for position, value in enumerate((names.dataset, names.method, seed)):
                table.insert(position, FIT_COLUMNS[position], value)
            write_table(table, snakemake.output[name])

    def part():
        """Say what a fit to a random part of the cells costs."""
        rows, drawn = [], refits.read_part(files[0], int(names.n_cells), told.draw)
        if drawn is not None:
            model, about = train(
                drawn, told.told["model"], told.told["params"], seed=told.seed,
                threads=snakemake.threads, checkpoint=checkpoint,
            )  # fmt: skip
            about |= {"dataset": names.dataset, "method": names.method}
            rows.append(scaling_row(about_fit(model, about)))
        write_table(pd.DataFrame(rows, columns=list(SCALING_COLUMNS)), snakemake.output[0])

    def point():
        """Say what a fit at a point of a sweep is like, beside the method's own parameters."""
        sweep, about = told.told, dict(told.told["about"])
        prepared = read_h5ad(files.prepared)
        prepared = training_data(prepared, sweep["params"], about["seed"])
        cells = refits.training_cells(prepared, sweep["held_out"], sweep["draw"])
        model = refits.fit_point(
            prepared[cells].copy(), sweep["model"], sweep["params"], sweep["point"],
            seed=about["seed"], threads=snakemake.threads, checkpoint=checkpoint,
        )  # fmt: skip
        if sweep["point"]:
            default = load(files.default)
        else:
            default = model
            model.save(snakemake.output.model)
        row = about | refits.sweep_row(model, default, prepared, cells)
        row |= refits.parameters_used(model, sweep["point"], sweep["swept"])
        write_table(pd.DataFrame([row]), snakemake.output.row)

    # what is measured of a fit keeps to the threads of the fit
    with limit_threads(snakemake.threads):
        {"halves": halves, "folds": folds, "part": part, "point": point}[told.kind]()
    kept.remove()
