# Figures (rows of the table in intae/benchmark/drawing.py) and the page of terms;
# `snakemake --report` binds them into one HTML file.
from intae.benchmark import facts as figure_facts

FIGURES = []

# A rule per data set or simulation, since each has its own figures; where they are many, two, so
# that two processes draw them.
for place, number, told, drawn in figure_facts.shares(JOBS):
    FIGURES += [f"{stem}.png" for _, _, stem in drawn]

    rule:
        name:
            rule_name(f"figures{number}", place)
        input:
            **figure_facts.inputs_of(JOBS, place),
        output:
            png=[
                report(
                    f"{stem}.png",
                    caption=f"../{row.caption}",
                    category=row.category,
                    subcategory=place if row.by_dataset else None,
                    labels={"figure": row.label(told, part)},
                )
                for row, part, stem in drawn
            ],
            pdf=[f"{stem}.pdf" for _, _, stem in drawn],
        log:
            f"{LOGS}/{place}/figures{number}.log",
        localrule: is_quick(BENCHMARK, place)
        conda:
            "../envs/intae.yaml"
        threads: 1
        resources:
            **asked("figures"),
        params:
            rows=[(row.name, part) for row, part, _ in drawn],
            facts=told,
        script:
            "../scripts/figures.py"


rule figures_of_the_run:
    input:
        runtime=f"{RESULTS}/tables/runtime.csv",
    output:
        png=report(
            f"{RESULTS}/figures/cost.png",
            caption="../report/cost.rst",
            category="2. Cost",
            labels={"figure": "runtime and memory"},
        ),
        pdf=f"{RESULTS}/figures/cost.pdf",
    log:
        f"{LOGS}/figures.log",
    localrule: True  # seconds
    conda:
        "../envs/intae.yaml"
    threads: 1
    params:
        rows=[("cost", "")],
        facts=figure_facts.run_facts(JOBS),
    script:
        "../scripts/figures.py"


FIGURES.append(f"{RESULTS}/figures/cost.png")


rule terms_page:
    input:
        unpack(
            lambda wildcards: {
                name: by_content(files)
                for name, files in JOBS.page_inputs(wildcards.dataset).items()
            }
        ),
    output:
        report(
            f"{RESULTS}/figures/{{dataset}}/terms.html",
            caption="../report/terms_page.rst",
            category="4. Terms",
            subcategory="{dataset}",
            labels={"figure": "any term, interactive"},
        ),
    log:
        f"{LOGS}/{{dataset}}/terms_page.log",
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        **asked("figures"),
    params:
        labels=JOBS.labels(),
        controls=JOBS.controls(),
        n_cells=1000,
        prefixes=lambda wildcards: JOBS.prefixes(wildcards.dataset),
        collections=lambda wildcards: JOBS.collections(wildcards.dataset),
    script:
        "../scripts/terms_page.py"


FIGURES += [
    f"{RESULTS}/figures/{dataset}/terms.html"
    for dataset in BENCHMARK.datasets
    if BENCHMARK.holds("terms", dataset)
]
