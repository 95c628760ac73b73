# Fits: one method, one data set, one seed; what is known of each by itself; and what is fitted
# again: without halves, folds and parts of the cells, and at other parameters.
rule train:
    input:
        JOBS.prepared,
    output:
        model=JOBS.model,
        facts=JOBS.facts,
    log:
        f"{LOGS}/{{dataset}}/{{method}}.seed{{seed}}.train.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/benchmark.tsv"
    wildcard_constraints:
        method=one_of(SLOW),
    priority: 2  # the longest steps first, so that none is left alone at the end
    conda:
        env_of(of_wildcard)
    threads: entry("threads")
    resources:
        **asked_of_fit(of_wildcard),
    params:
        model=tell("model"),
        params=tell("params"),
        revision=tell("revision"),
        threads=entry("threads"),  # its seconds are a result
    script:
        "../scripts/train.py"


# What is fitted sooner than scored is scored in the same step: Python's start takes longer than
# either where cells are few. A change of what is scored repeats such a fit.
use rule train as train_and_score with:
    output:
        model=JOBS.model,
        facts=JOBS.facts,
        scores=JOBS.scores,
    wildcard_constraints:
        method=one_of(QUICK),
    params:
        model=tell("model"),
        params=tell("params"),
        revision=tell("revision"),
        threads=entry("threads"),
        tables=tables_of_fit,
        settings=settings_of_fit,


rule score:
    input:
        model=JOBS.model,
        facts=JOBS.facts,
        prepared=JOBS.prepared,
    output:
        scores=JOBS.scores,
    log:
        f"{LOGS}/{{dataset}}/{{method}}.seed{{seed}}.score.log",
    wildcard_constraints:
        dataset=one_of(LARGE),
        method=one_of(SLOW),
    conda:
        env_of(of_wildcard)
    threads: 1
    resources:
        **asked("score"),
    params:
        tables=tables_of_fit,
        settings=settings_of_fit,
    script:
        "../scripts/score.py"


use rule score as score_small with:
    wildcard_constraints:
        dataset=one_of(SMALL),
        method=one_of(SLOW),
    localrule: True


# Two fits per division, each to a half of the cells, and of the donors.
rule halves:
    input:
        JOBS.prepared,
    output:
        JOBS.halves,
    log:
        f"{LOGS}/{{dataset}}/{{method}}.halves.log",
    priority: 1
    conda:
        env_of(of_wildcard)
    threads: entry("threads")
    resources:
        **asked_of_fit(of_wildcard),
    params:
        kind="halves",
        model=tell("model"),
        params=tell("params"),
        revision=tell("revision"),
        halves=entry("halves"),
        seed=lambda wildcards: BENCHMARK.method(wildcards.method)["seeds"][0],
    script:
        "../scripts/refit.py"


# A fit without each fold of the donors, asked about the cells that it never saw.
use rule halves as folds with:
    output:
        **{
            table: JOBS.unseen.replace("{table}", table)
            for table in ("accuracy", "choice", "reconstruction", "folds")
        },
    log:
        f"{LOGS}/{{dataset}}/{{method}}.seed{{seed}}.folds.log",
    params:
        kind="folds",
        model=tell("model"),
        params=tell("params"),
        revision=tell("revision"),
        folds=entry("folds"),


# A fit to a random part of the cells, for its cost: a process each, so that its memory is its own.
use rule halves as part with:
    output:
        JOBS.part,
    log:
        f"{LOGS}/{{dataset}}/{{method}}.{{n_cells}}_cells.log",
    params:
        kind="part",
        told=lambda wildcards: JOBS.params_of_part(wildcards.dataset, wildcards.method),
        seed=lambda wildcards: BENCHMARK.method(wildcards.method)["seeds"][0],
        draw=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["scaling"]["seed"],


# Sensitivity to parameters: first the method's own, which all points are compared with.
rule sweep_default:
    input:
        prepared=JOBS.prepared,
    output:
        row=f"{JOBS.sweep}/default.csv",
        model=f"{JOBS.sweep}/default.h5",
    log:
        f"{LOGS}/{{dataset}}/sweep_{{sweep}}.default.log",
    conda:
        env_of(of_sweep)
    threads: lambda wildcards: BENCHMARK.method(of_sweep(wildcards))["threads"]
    resources:
        **asked_of_fit(of_sweep),
    params:
        kind="point",
        told=lambda wildcards: JOBS.sweep_fit(
            wildcards.dataset, wildcards.sweep, "default"
        ),
    script:
        "../scripts/refit.py"


use rule sweep_default as sweep_point with:
    input:
        prepared=JOBS.prepared,
        default=f"{JOBS.sweep}/default.h5",
    output:
        row=f"{JOBS.sweep}/{{point}}.csv",
    log:
        f"{LOGS}/{{dataset}}/sweep_{{sweep}}.{{point}}.log",
    wildcard_constraints:
        point="[^/]+~[^/]+",
    params:
        kind="point",
        told=lambda wildcards: JOBS.sweep_fit(
            wildcards.dataset, wildcards.sweep, wildcards.point
        ),
