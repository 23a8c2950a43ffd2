"""From a match expression and the indexes at hand to a query solution. Pure."""
