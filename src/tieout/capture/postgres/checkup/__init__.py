"""What a server and a role still need for a source: asked, judged, and told with the statement that mends it."""
