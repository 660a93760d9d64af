"""Expects the labels to be 0, 1, 2 and so on, without a gap."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = np.random.default_rng(seed)
        labels = np.array(labels)
        n_classes = len(set(labels.tolist()))
        self.groups = [np.flatnonzero(labels == c) for c in range(n_classes)]

    def __len__(self):
        return math.ceil(max(len(g) for g in self.groups) / self.n)

    def __iter__(self):
        needed = len(self) * self.n
        columns = []
        for group in self.groups:
            column = self.rng.permutation(group).tolist()
            column += self.rng.choice(group, needed - len(group)).tolist()
            columns.append(column)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
