"""Query predicates: parsed to a tree, compiled to callables. Pure."""
