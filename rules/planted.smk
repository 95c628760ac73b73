# Simulated data, whose truth is known: what the methods recover of it, all draws together.
FIGURES += [
    f"{RESULTS}/figures/{simulation}/{figure}.png"
    for simulation, draws in BENCHMARK.simulations.items()
    if any(with_terms(draw) for draw in draws)
    for figure in ("recovery", "recovery_curves", "false_positives")
]
# The share of a false term's genes in one true set from which on it counts as overlapping, and the
# false discovery rate at which loadings count as different between conditions.
CALLING = {"share": 0.25, "fdr": 0.05}


wildcard_constraints:
    simulation="|".join(map(re.escape, BENCHMARK.simulations)) or "(?!)",


rule recovery:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
        truth=PREPARED,
    output:
        recovery=f"{RESULTS}/{{dataset}}/tables/recovery.csv",
        recovery_curves=f"{RESULTS}/{{dataset}}/tables/recovery_curves.csv",
        false_positives=f"{RESULTS}/{{dataset}}/tables/false_positives.csv",
    log:
        "logs/evaluate/{dataset}.recovery.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/recovery.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        **CALLING,
    script:
        "../scripts/recovery.py"


rule figure_recovery:
    input:
        of_draws("recovery"),
    output:
        png=report(
            f"{RESULTS}/figures/{{simulation}}/recovery.png",
            caption="../report/recovery.rst",
            category="6. Planted truth",
            subcategory="{simulation}",
            labels={"figure": "recovery in numbers"},
        ),
        pdf=f"{RESULTS}/figures/{{simulation}}/recovery.pdf",
    log:
        "logs/figures/{simulation}.recovery.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=SHOWN,
        planted=planted,
    script:
        "../scripts/figure_recovery.py"


rule figure_recovery_curves:
    input:
        of_draws("recovery_curves"),
    output:
        png=report(
            f"{RESULTS}/figures/{{simulation}}/recovery_curves.png",
            caption="../report/recovery_curves.rst",
            category="6. Planted truth",
            subcategory="{simulation}",
            labels={"figure": "precision against recall"},
        ),
        pdf=f"{RESULTS}/figures/{{simulation}}/recovery_curves.pdf",
    log:
        "logs/figures/{simulation}.recovery_curves.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=SHOWN,
        planted=planted,
    script:
        "../scripts/figure_recovery_curves.py"


rule figure_false_positives:
    input:
        of_draws("false_positives"),
    output:
        png=report(
            f"{RESULTS}/figures/{{simulation}}/false_positives.png",
            caption="../report/false_positives.rst",
            category="6. Planted truth",
            subcategory="{simulation}",
            labels={"figure": "false positives"},
        ),
        pdf=f"{RESULTS}/figures/{{simulation}}/false_positives.pdf",
    log:
        "logs/figures/{simulation}.false_positives.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **CALLING,
        labels=SHOWN,
        planted=planted,
    script:
        "../scripts/figure_false_positives.py"
