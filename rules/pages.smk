# Interactive pages; each is one HTML file that needs no network.
FIGURES += per_dataset(f"{RESULTS}/figures/{{dataset}}/terms.html", with_pages())


rule terms_page:
    input:
        unpack(page_tables),
        fits=page_fits,
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
        controls=[m for m in LABELS if ROLES[m] == "control"],
        n_cells=1000,
        tables=lambda wildcards: list(page_tables(wildcards)),
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
