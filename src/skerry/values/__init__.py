"""What a BSON value is: order, equality, arithmetic, paths, key strings. Pure."""
