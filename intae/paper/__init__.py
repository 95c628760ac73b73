"""The paper's claims, held against the tables of a run."""
