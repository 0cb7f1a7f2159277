"""A world with every fault, run by a seed: the real parts under a simulated clock, disk and sources."""
