"""The measurements: each beside the least that the same deed could cost on the same machine, and beside a guess."""
