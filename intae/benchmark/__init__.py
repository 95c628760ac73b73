"""The benchmark: everything that knows the config or Snakemake. Imports nothing by itself."""
