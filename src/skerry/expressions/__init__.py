"""Aggregation expressions, compiled to callables. Pure."""
