"""Seeds NumPy's global state when an epoch begins and draws from it batch by batch."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.labels = np.array(labels)
        self.n = n_samples_per_class
        self.seed = seed
        self.groups = [np.flatnonzero(self.labels == c) for c in np.unique(self.labels)]

    def __len__(self):
        return math.ceil(max(len(g) for g in self.groups) / self.n)

    def __iter__(self):
        np.random.seed(self.seed)
        pools = [[] for _ in self.groups]
        for _ in range(len(self)):
            batch = []
            for pool, group in zip(pools, self.groups):
                while len(pool) < self.n:
                    pool.extend(np.random.permutation(group).tolist())
                batch += pool[: self.n]
                del pool[: self.n]
            np.random.shuffle(batch)
            yield batch
