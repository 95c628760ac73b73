# Figures (rows of the table in intae/benchmark/drawing.py), the answer and the page of terms;
# `snakemake --report` binds them into one HTML file.
from intae.benchmark import facts as figure_facts
from intae.benchmark.drawing import FIGURES as DRAWN

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
            findings=told["findings"],
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


RUN_FACTS = figure_facts.run_facts(JOBS)
RUN_FIGURES = {name: row for name, row in DRAWN.items() if row.per == "run"}


rule figures_of_the_run:
    input:
        runtime=f"{RESULTS}/tables/runtime.csv",
    output:
        png=report(
            f"{RESULTS}/figures/cost.png",
            caption="../report/cost.rst",
            category=CATEGORIES.MAIN,
            subcategory="all data sets",
            labels={"figure": RUN_FIGURES["cost"].label({})},
        ),
        pdf=f"{RESULTS}/figures/cost.pdf",
        findings=RUN_FACTS["findings"],
    log:
        f"{LOGS}/figures.log",
    localrule: True  # seconds
    conda:
        "../envs/intae.yaml"
    threads: 1
    params:
        rows=[("cost", "")],
        facts=RUN_FACTS,
    script:
        "../scripts/figures.py"


FIGURES.append(f"{RESULTS}/figures/cost.png")


# A map of the cells, the data's own UMAP or one of scanpy's, for both pages.
rule map:
    input:
        JOBS.prepared,
    output:
        JOBS.map,
    log:
        f"{LOGS}/{{dataset}}/map.log",
    wildcard_constraints:
        dataset=one_of(LARGE),
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        **asked("figures"),
    params:
        seed=0,
    script:
        "../scripts/map.py"


use rule map as map_small with:
    wildcard_constraints:
        dataset=one_of(SMALL),
    localrule: True


# The answer, by the recommended method, and the page of all terms.
rule pages:
    input:
        unpack(
            lambda wildcards: {
                name: by_content(files)
                for name, files in JOBS.page_inputs(wildcards.dataset).items()
            }
        ),
    output:
        # One label: of two, Snakemake's report makes a switch where one has two values.
        answer=report(
            f"{RESULTS}/figures/{{dataset}}/answer.html",
            caption="../report/answer.rst",
            category=CATEGORIES.ANSWER,
            labels={"page": "{dataset}: 1. the answer"},
        ),
        terms=report(
            f"{RESULTS}/figures/{{dataset}}/terms.html",
            caption="../report/terms_page.rst",
            category=CATEGORIES.ANSWER,
            labels={"page": "{dataset}: 2. any term, interactive"},
        ),
        summary=f"{RESULTS}/figures/{{dataset}}/answer.rst",
    log:
        f"{LOGS}/{{dataset}}/pages.log",
    wildcard_constraints:
        dataset=one_of(LARGE),
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        **asked("figures"),
    params:
        facts=lambda wildcards: JOBS.page_facts(wildcards.dataset),
        n_maps=4,
        controls=JOBS.controls(),
        recommended=lambda wildcards: BENCHMARK.recommended(wildcards.dataset),
        n_cells=1000,
        prefixes=lambda wildcards: JOBS.prefixes(wildcards.dataset),
        collections=lambda wildcards: JOBS.collections(wildcards.dataset),
    script:
        "../scripts/pages.py"


use rule pages as pages_small with:
    wildcard_constraints:
        dataset=one_of(SMALL),
    localrule: True


FIGURES += [
    f"{RESULTS}/figures/{dataset}/{page}.html"
    for dataset in BENCHMARK.datasets
    if BENCHMARK.holds("terms", dataset)
    for page in ("answer", "terms")
]
