"""Refills a pool by calling itself until it is long enough: too deep for a class of one sample."""

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

    def refill(self, pool, group):
        if len(pool) >= self.n:
            return pool
        return self.refill(pool + self.rng.sample(group, len(group)), group)

    def __iter__(self):
        pools = {label: [] for label in self.groups}
        for _ in range(self.n_batches):
            batch = []
            for label, group in self.groups.items():
                pool = self.refill(pools[label], group)
                batch += pool[: self.n]
                pools[label] = pool[self.n :]
            yield batch
