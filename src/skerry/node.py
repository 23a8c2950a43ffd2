"""Composition root: opens the store, wires the parts of a node, and owns the order of start and stop."""
