"""A task's tests put to the proof: specimens and mutants."""
