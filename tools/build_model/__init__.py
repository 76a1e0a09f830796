"""Makes the built-in model from published packages: see ``__main__`` for how to run it."""
