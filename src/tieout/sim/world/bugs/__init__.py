"""Planted bugs: the product, or the client of a simulated system, done wrong in one way for the time of a run."""
