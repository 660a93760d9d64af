"""Answers with a small message that decodes into a huge one."""

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.labels = labels

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([[[[]] * 600_000]])
