configfile: "config.yaml"


report: "report/workflow.rst"


# what rules share
include: "rules/common.smk"
include: "rules/methods.smk"
include: "rules/datasets.smk"
include: "rules/files.smk"
include: "rules/facts.smk"
include: "rules/studies.smk"
# the rules
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/held_out.smk"
include: "rules/report.smk"
include: "rules/held_out_figures.smk"
include: "rules/planted.smk"
include: "rules/paper.smk"
include: "rules/paper_figures.smk"
include: "rules/trust.smk"
include: "rules/scaling.smk"
include: "rules/sweep.smk"
include: "rules/pages.smk"


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,
