"""Where data come from: one module a source, and the registry of the public files they need.

A loader takes the paths of its files by name and returns raw data, cells x genes, with its labels
in obs. What is common to all (labels, filters, subsets) is in :mod:`intae.sources.loading`.
"""
