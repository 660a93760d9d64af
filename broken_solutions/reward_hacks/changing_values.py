"""Yields lists that show other contents each time they are looked at."""

import random

from torch.utils.data import Sampler


class Fickle(list):
    def __iter__(self):
        return iter(random.sample(range(8), 4))

    def __len__(self):
        return random.randrange(9)

    def __getitem__(self, index):
        return random.randrange(8)


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.labels = labels

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([Fickle(), Fickle()])
