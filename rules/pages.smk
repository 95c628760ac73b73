# Interactive pages; each is one HTML file that needs no network.
FIGURES += per_dataset(f"{RESULTS}/figures/{{dataset}}/terms.html", datasets_with(1))


def page_methods(dataset):
    """Methods that a page of terms compares: not those shown beside what they are a part of."""
    return [
        m
        for m in BENCHMARK.methods_of(dataset)
        if BENCHMARK.method(m)["role"] != "ablation"
    ]


def page_tables(dataset):
    """Name -> path of the tables of terms that this data set has."""
    paths = {
        table: f"{RESULTS}/{dataset}/tables/{table}.csv"
        for table in ("terms", "accuracy", "stability", "correlation", "necessity")
    }
    return {
        table: path for table, path in paths.items() if path in PARTS.get(table, ())
    }


def set_entries(dataset):
    """Name -> entry of the config, for the gene set files of a data set."""
    gene_sets = BENCHMARK.config["gene_sets"]
    return {name: gene_sets[name] for name in BENCHMARK.dataset(dataset)["gene_sets"]}


rule terms_page:
    input:
        unpack(lambda wildcards: page_tables(wildcards.dataset)),
        fits=lambda wildcards: [
            FIT.format(
                dataset=wildcards.dataset,
                method=m,
                seed=BENCHMARK.method(m)["seeds"][0],
            )
            for m in page_methods(wildcards.dataset)
        ],
        prepared=PREPARED,
        gene_sets=lambda wildcards: BENCHMARK.gene_set_files(wildcards.dataset),
    output:
        report(
            f"{RESULTS}/figures/{{dataset}}/terms.html",
            caption="../report/terms_page.rst",
            category="4. Terms",
            subcategory="{dataset}",
            labels={"figure": "any term, interactive"},
        ),
    log:
        "logs/pages/{dataset}.terms.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/terms_page.benchmark.tsv"
    conda:
        "../envs/intae.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        labels=LABELS,
        n_cells=1000,
        tables=lambda wildcards: list(page_tables(wildcards.dataset)),
        prefixes=lambda wildcards: [
            entry.get("remove_prefix")
            for entry in set_entries(wildcards.dataset).values()
        ],
        collections=lambda wildcards: [
            (
                f"{entry['msigdb']} (MSigDB {entry['release']})"
                if "msigdb" in entry
                else name
            )
            for name, entry in set_entries(wildcards.dataset).items()
        ],
    script:
        "../scripts/terms_page.py"
