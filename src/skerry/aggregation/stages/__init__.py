"""The stages of a pipeline, one file each; `stage_registry` lists them."""
