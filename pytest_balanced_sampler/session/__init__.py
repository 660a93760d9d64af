"""TRUSTED, pytest's hooks: from --solution to one grade per candidate."""
