"""A function that makes a sampler, in place of a class."""

import random

from torch.utils.data import Sampler


class _Sampler(Sampler):
    def __init__(self, labels, n, rng):
        self.n = n
        self.rng = rng
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < len(self) * self.n:
                column += self.rng.sample(group, len(group))
            columns.append(column)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]


def BalancedBatchSampler(labels, n_samples_per_class, seed=None):
    return _Sampler(labels, n_samples_per_class, random.Random(seed))
