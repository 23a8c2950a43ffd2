"""What a person types: one module for each subcommand, all listed in `main`.

Rules: a subcommand parses its arguments, calls `skerry.node`, prints, and holds no logic of its own. Modules import what they
need inside the function that needs it where that is costly, because the time to the first answer of `skerry serve` counts.
"""
