"""Find-style and `$project` projections. Pure."""
