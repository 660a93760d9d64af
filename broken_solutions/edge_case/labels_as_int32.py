"""Stores labels in 32 bits, so that far labels fall together."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = np.random.default_rng(seed)
        labels = np.array(labels).astype(np.int32)
        self.groups = [np.flatnonzero(labels == c) for c in np.unique(labels)]

    def __len__(self):
        return math.ceil(max(map(len, self.groups)) / self.n)

    def __iter__(self):
        rows = []
        for group in self.groups:
            repeats = math.ceil(len(self) * self.n / len(group))
            rows.append(np.concatenate([self.rng.permutation(group) for _ in range(repeats)]))
        for b in range(len(self)):
            part = slice(b * self.n, (b + 1) * self.n)
            yield np.concatenate([row[part] for row in rows]).tolist()
