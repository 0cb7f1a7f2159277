"""Tables read beside the log: whole or by ranges, in chunks, each in a view of its own moment."""
