"""Change events of an org: how they arrive, and what they say."""
