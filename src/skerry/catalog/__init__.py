"""What exists, who holds it, and which version of it: the master index."""
