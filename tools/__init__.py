"""Programs for those who work on skerry; no part of the distribution."""
