"""Doors from other frameworks to `Grader`: a module for each, on that framework's own terms.

A module imports its framework, so nothing imports these but users.
"""
