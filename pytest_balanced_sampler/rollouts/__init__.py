"""A model at work: its workspace, its conversation, and a run of many rollouts."""
