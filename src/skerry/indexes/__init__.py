"""What an index is, and which keys a document has in it. Pure."""
