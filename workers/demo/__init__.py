"""The demonstration: a census of a folder of Python source, fanned out over the workers."""
