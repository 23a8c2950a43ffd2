"""Every setting once: frozen dataclasses with name, default, unit and help."""
