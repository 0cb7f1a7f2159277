"""The simulated company: what is true in its systems, and the sources by which tieout reads them."""
