"""TRUSTED, without pytest: the judge's hold on warm processes, workers and their objects."""
