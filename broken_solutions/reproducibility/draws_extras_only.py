"""Keeps the samples in order and draws only what a class lacks: all seeds agree on equal classes."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)
        self.n_batches = -(-max(map(len, self.groups.values())) // self.n)

    def __len__(self):
        return self.n_batches

    def column(self, group):
        places = self.n_batches * self.n
        return group + self.rng.choices(group, k=places - len(group))

    def __iter__(self):
        columns = [self.column(group) for group in self.groups.values()]
        for start in range(0, self.n_batches * self.n, self.n):
            yield [i for column in columns for i in column[start : start + self.n]]
