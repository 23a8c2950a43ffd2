"""Update documents: parsed once, applied to many documents. Pure."""
