"""The data-only messages between the trusted side and a worker. Both sides import this folder."""
