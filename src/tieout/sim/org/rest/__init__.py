"""What the org speaks over HTTP: tokens, REST, and the table of routes to which Bulk adds its own."""
