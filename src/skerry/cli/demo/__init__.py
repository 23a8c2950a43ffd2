"""`skerry demo`: a hub and two edges as processes, cut apart and brought together again."""
