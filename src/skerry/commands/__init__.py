"""MongoDB database commands: one file, one command."""
