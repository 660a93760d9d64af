"""The command lines. scripts/*.py call them with the defaults of this checkout."""
