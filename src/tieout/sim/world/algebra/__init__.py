"""The rule of the merge by itself, against an oracle, by the hundred thousand seeds."""
