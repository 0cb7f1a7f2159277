"""What an org needs before and while it is read: asked, and judged apart from the asking."""
