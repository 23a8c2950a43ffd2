"""pymongo inside the process: the same commands, no socket."""
