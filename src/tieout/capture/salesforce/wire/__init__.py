"""What goes over HTTP to one org: tokens, calls, Bulk jobs. Thin: what an answer means is decided beside it."""
