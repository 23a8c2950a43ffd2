"""What an update makes of a document: operators, replacements, pipelines, upserts, and the difference between versions."""
