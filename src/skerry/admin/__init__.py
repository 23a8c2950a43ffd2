"""The operator's view over HTTP."""
