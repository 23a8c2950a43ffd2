"""Keeping a node in step with its hub, both ways."""
