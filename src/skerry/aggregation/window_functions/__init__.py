"""The functions of `$setWindowFields`; `window_registry` lists them. Pure."""
