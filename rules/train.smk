# One fit of one method to one data set from one seed. The rules differ in what they ask of a
# machine; the script is the same.
rule train_autoencoder:
    input:
        PREPARED,
    output:
        fit=FIT,
        model=MODEL,
    log:
        "logs/train/{dataset}.{method}.seed{seed}.log",
    benchmark:
        f"{RESULTS}/{{dataset}}/{{method}}/seed{{seed}}/benchmark.tsv"
    wildcard_constraints:
        method=methods_with("Autoencoder", solver=("adam", "proximal")),
    conda:
        "../envs/intae.yaml"
    threads: lambda wildcards: BENCHMARK.method(wildcards.method)["threads"]
    resources:
        gpu=1,
        mem_mb=lambda wildcards: BENCHMARK.method(wildcards.method)["mem_mb"],
        runtime=lambda wildcards: BENCHMARK.method(wildcards.method)["runtime"],
    params:
        # only what changes the fit: a new label must not repeat it
        model=lambda wildcards: BENCHMARK.method(wildcards.method)["model"],
        params=lambda wildcards: BENCHMARK.method(wildcards.method)["params"],
    script:
        "../scripts/train.py"


use rule train_autoencoder as train_masked_autoencoder with:
    wildcard_constraints:
        method=methods_with("MaskedAutoencoder"),


# The closed form: no network, no GPU.
use rule train_autoencoder as train_autoencoder_exact with:
    wildcard_constraints:
        method=methods_with("Autoencoder", solver=("exact",)),
    resources:
        gpu=0,
        mem_mb=lambda wildcards: BENCHMARK.method(wildcards.method)["mem_mb"],
        runtime=lambda wildcards: BENCHMARK.method(wildcards.method)["runtime"],


use rule train_autoencoder_exact as train_slalom with:
    wildcard_constraints:
        method=methods_with("Slalom"),


use rule train_autoencoder_exact as train_fsclvm with:
    wildcard_constraints:
        method=methods_with("FSCLVM"),


use rule train_autoencoder_exact as train_pca with:
    wildcard_constraints:
        method=methods_with("PCA"),


use rule train_autoencoder_exact as train_scores with:
    wildcard_constraints:
        method=methods_with("GeneSetScore"),
