"""The accumulators of `$group` and its kin, one file a family; `accumulator_registry` lists them. Pure."""
