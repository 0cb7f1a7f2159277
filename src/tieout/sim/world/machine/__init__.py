"""The machine that simulated processes run on: who moves when, its disk, its ledger and warehouse, and who dies."""
