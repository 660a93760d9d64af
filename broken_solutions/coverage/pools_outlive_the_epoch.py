"""Keeps its pools from epoch to epoch: one that follows a broken-off epoch is not whole."""

import math
import random
from collections import deque

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.indices = {}
        for i, label in enumerate(labels):
            self.indices.setdefault(label, []).append(i)
        self.pools = {label: deque() for label in self.indices}

    def __len__(self):
        return math.ceil(max(map(len, self.indices.values())) / self.n)

    def _draw(self, label):
        pool = self.pools[label]
        if not pool:
            pool.extend(self.rng.sample(self.indices[label], len(self.indices[label])))
        return pool.popleft()

    def __iter__(self):
        for _ in range(len(self)):
            yield [self._draw(label) for label in self.indices for _ in range(self.n)]
