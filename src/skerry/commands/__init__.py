"""MongoDB's database commands: a message in, a reply out, whichever door it came through.

Rules: one file a family of commands, one alphabetical table of all (`command_registry`). A command reads its fields through
one declarative table (`command_fields`), asks the engine, and shapes the reply; it decides nothing about documents itself.
"""
