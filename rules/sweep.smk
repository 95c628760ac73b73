# Sensitivity to parameters: a method fitted at every point of a space that the config declares.
# The method's own parameters, on the same cells: what the points are compared with.
rule sweep_default:
    input:
        prepared=PREPARED,
    output:
        row=f"{SWEEP}/default.csv",
        model=f"{SWEEP}/default.h5",
    log:
        "logs/sweep/{dataset}.{sweep}.default.log",
    benchmark:
        f"{SWEEP}/default.benchmark.tsv"
    wildcard_constraints:
        sweep=SWEEPS,
    conda:
        "../envs/intae.yaml"
    threads: lambda wildcards: method_of(wildcards.sweep)["threads"]
    resources:
        gpu=lambda wildcards: int(
            trains_a_network(BENCHMARK.sweep(wildcards.sweep)["method"])
        ),
        mem_mb=lambda wildcards: method_of(wildcards.sweep)["mem_mb"],
        runtime=lambda wildcards: method_of(wildcards.sweep)["runtime"],
    params:
        model=lambda wildcards: method_of(wildcards.sweep)["model"],
        params=lambda wildcards: method_of(wildcards.sweep)["params"],
        point={},
        swept=lambda wildcards: swept_parameters(wildcards.sweep),
        held_out=lambda wildcards: BENCHMARK.sweep(wildcards.sweep)["held_out"],
        draw=lambda wildcards: BENCHMARK.sweep(wildcards.sweep)["seed"],
        about=about_row,
    script:
        "../scripts/sweep_fit.py"


use rule sweep_default as sweep_fit with:
    input:
        prepared=PREPARED,
        default=f"{SWEEP}/default.h5",
    output:
        row=f"{SWEEP}/{{point}}.csv",
    log:
        "logs/sweep/{dataset}.{sweep}.{point}.log",
    benchmark:
        f"{SWEEP}/{{point}}.benchmark.tsv"
    wildcard_constraints:
        sweep=SWEEPS,
        point="[^/]+~[^/]+",
    params:
        model=lambda wildcards: method_of(wildcards.sweep)["model"],
        params=lambda wildcards: method_of(wildcards.sweep)["params"],
        point=lambda wildcards: POINTS[wildcards.sweep][wildcards.point],
        swept=lambda wildcards: swept_parameters(wildcards.sweep),
        held_out=lambda wildcards: BENCHMARK.sweep(wildcards.sweep)["held_out"],
        draw=lambda wildcards: BENCHMARK.sweep(wildcards.sweep)["seed"],
        about=about_row,


use rule join as sweep with:
    input:
        lambda wildcards: rows_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/sweep.csv",
    log:
        "logs/evaluate/{dataset}.sweep.log",


FIGURES += [
    f"{RESULTS}/figures/{dataset}/sweep_{sweep}.png"
    for dataset in SWEPT
    for sweep in BENCHMARK.sweeps_of(dataset)
]


rule figure_sweep:
    input:
        f"{RESULTS}/{{dataset}}/tables/sweep.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/sweep_{{sweep}}.png",
            caption="../report/sweep.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "sensitivity: {sweep}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/sweep_{{sweep}}.pdf",
    log:
        "logs/figures/{dataset}.sweep_{sweep}.log",
    wildcard_constraints:
        sweep=SWEEPS,
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        entry=lambda wildcards: BENCHMARK.sweep(wildcards.sweep),
        label=lambda wildcards: LABELS[BENCHMARK.sweep(wildcards.sweep)["method"]],
        model=lambda wildcards: method_of(wildcards.sweep)["model"],
        own=lambda wildcards: method_of(wildcards.sweep)["params"],
    script:
        "../scripts/figure_sweep.py"
