# The paper's figure 3 and the talk's figures: loadings by group, correlations as bars, relevance,
# corrected gene sets; and the agreement of all methods with all.
FIGURES += (
    per_dataset(f"{RESULTS}/figures/{{dataset}}/loadings.png", grouped())
    + per_dataset(
        f"{RESULTS}/figures/{{dataset}}/correlation_bars.png", datasets_with(2)
    )
    + per_dataset(f"{RESULTS}/figures/{{dataset}}/agreement.png", datasets_with(2))
    + per_method(f"{RESULTS}/figures/{{dataset}}/relevance/{{method}}.png")
    + per_method(f"{RESULTS}/figures/{{dataset}}/corrections/{{method}}.png")
)


rule figure_loadings:
    input:
        fits=shown_fits,
        prepared=PREPARED,
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/loadings.png",
            caption="../report/loadings.rst",
            category="3. Separation of conditions",
            subcategory="{dataset}",
            labels={"figure": "loadings by cell type and condition"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/loadings.pdf",
    log:
        "logs/figures/{dataset}.loadings.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        labels=LABELS,
        terms=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["loadings"][
            "terms"
        ]
        or BENCHMARK.analysis(wildcards.dataset).get("scatter", []),
        cell_types=lambda wildcards: BENCHMARK.analysis(wildcards.dataset)["loadings"][
            "cell_types"
        ],
        conditions=analysis("conditions"),
    script:
        "../scripts/figure_loadings.py"


rule figure_correlation_bars:
    input:
        correlation=f"{RESULTS}/{{dataset}}/tables/correlation.csv",
        seeds=f"{RESULTS}/{{dataset}}/tables/correlation_seeds.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/correlation_bars.png",
            caption="../report/correlation_bars.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "agreement term by term, the talk's bars"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/correlation_bars.pdf",
    log:
        "logs/figures/{dataset}.correlation_bars.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        reference=analysis("reference"),
        others=compared,
        expected=expected,
        n_terms=analysis("n_terms"),
    script:
        "../scripts/figure_correlation_bars.py"


rule model_agreement:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/agreement.csv",
    log:
        "logs/evaluate/{dataset}.model_agreement.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/model_agreement.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        n_terms=analysis("n_terms"),
    script:
        "../scripts/model_agreement.py"


rule figure_agreement:
    input:
        f"{RESULTS}/{{dataset}}/tables/agreement.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/agreement.png",
            caption="../report/agreement.rst",
            category="5. How far to trust it",
            subcategory="{dataset}",
            labels={"figure": "agreement of every two methods"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/agreement.pdf",
    log:
        "logs/figures/{dataset}.agreement.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        methods=in_role("model", "control"),
        permuted=permuted_methods,
    script:
        "../scripts/figure_agreement.py"


rule corrections:
    input:
        fits=lambda wildcards: fits_of(wildcards.dataset),
    output:
        f"{RESULTS}/{{dataset}}/tables/corrections.csv",
    log:
        "logs/evaluate/{dataset}.corrections.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/corrections.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    script:
        "../scripts/corrections.py"


rule figure_relevance:
    input:
        f"{RESULTS}/{{dataset}}/tables/terms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/relevance/{{method}}.png",
            caption="../report/relevance.rst",
            category="4. Terms",
            subcategory="{dataset}",
            labels=with_method("relevance"),
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/relevance/{{method}}.pdf",
    log:
        "logs/figures/{dataset}.{method}.relevance.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        models=MODELS,
        expected=expected,
        n_terms=analysis("n_terms"),
    script:
        "../scripts/figure_relevance.py"


rule figure_corrections:
    input:
        terms=f"{RESULTS}/{{dataset}}/tables/terms.csv",
        corrections=f"{RESULTS}/{{dataset}}/tables/corrections.csv",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}/corrections/{{method}}.png",
            caption="../report/corrections.rst",
            category="4. Terms",
            subcategory="{dataset}",
            labels=with_method("genes added and removed"),
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}/corrections/{{method}}.pdf",
    log:
        "logs/figures/{dataset}.{method}.corrections.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        labels=LABELS,
        expected=expected,
        n_terms=analysis("n_terms"),
    script:
        "../scripts/figure_corrections.py"
