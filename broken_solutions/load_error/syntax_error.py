"""A file that was cut off in the middle."""

class BalancedBatchSampler(
