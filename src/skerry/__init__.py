"""skerry: a local-first MongoDB for Python."""

__version__ = "0.1.0"
