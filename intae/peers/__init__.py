"""Peers: models of others, each run through its own package (the extra `intae[peers]`)."""
