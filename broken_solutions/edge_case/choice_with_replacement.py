"""Draws with replacement from a class that is smaller than its share of a batch: may miss samples."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = np.random.default_rng(seed)
        labels = np.asarray(labels)
        self.groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        self.n_batches = math.ceil(max(map(len, self.groups)) / self.n)

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        pools = [self.rng.permutation(group).tolist() for group in self.groups]
        for _ in range(self.n_batches):
            batch = []
            for group, pool in zip(self.groups, pools):
                if len(group) < self.n:
                    batch += self.rng.choice(group, self.n, replace=True).tolist()
                    continue
                while len(pool) < self.n:
                    pool += self.rng.permutation(group).tolist()
                batch += pool[: self.n]
                del pool[: self.n]
            yield batch
