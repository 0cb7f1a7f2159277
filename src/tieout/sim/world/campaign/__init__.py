"""Many seeds: run, counted, repeated, shrunk, and told."""
