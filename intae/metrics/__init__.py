"""What is computed from fits alone: tidy tables, one row a fact."""
