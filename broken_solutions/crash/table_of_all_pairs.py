"""Compares every label with every other in one table, which does not fit in memory at 100,000."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = np.random.default_rng(seed)
        labels = np.array(labels)
        same = labels[:, None] == labels[None, :]
        first = np.unique(same.argmax(axis=1))
        self.groups = [np.flatnonzero(same[i]) for i in first]

    def __len__(self):
        return math.ceil(max(map(len, self.groups)) / self.n)

    def __iter__(self):
        needed = len(self) * self.n
        columns = []
        for group in self.groups:
            column = self.rng.permutation(group).tolist()
            column += self.rng.choice(group, needed - len(group)).tolist()
            columns.append(column)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
