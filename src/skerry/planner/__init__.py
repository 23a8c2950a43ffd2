"""From a filter, a sort and the available indexes to a query solution. Pure; the matcher has the last word on each document."""
