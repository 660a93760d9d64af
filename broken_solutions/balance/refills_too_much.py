"""Takes n more samples after a refill, not the few that were lacking."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        labels = np.asarray(labels)
        self.n_samples_per_class = n_samples_per_class
        self.class_indices = {c: np.flatnonzero(labels == c) for c in np.unique(labels)}
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        largest = max(len(v) for v in self.class_indices.values())
        return math.ceil(largest / self.n_samples_per_class)

    def __iter__(self):
        pools = {c: list(self.rng.permutation(v)) for c, v in self.class_indices.items()}
        for _ in range(len(self)):
            batch = []
            for c, indices in self.class_indices.items():
                taken = [pools[c].pop() for _ in range(min(self.n_samples_per_class, len(pools[c])))]
                while len(taken) < self.n_samples_per_class:
                    while len(pools[c]) < self.n_samples_per_class:
                        pools[c] = list(self.rng.permutation(indices)) + pools[c]
                    taken += [pools[c].pop() for _ in range(self.n_samples_per_class)]
                batch.extend(int(i) for i in taken)
            yield batch
