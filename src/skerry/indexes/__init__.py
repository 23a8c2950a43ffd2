"""What an index is: its description, and which keys it has of a document. Pure."""
