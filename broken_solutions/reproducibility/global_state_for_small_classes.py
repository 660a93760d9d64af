"""Reseeds the global random state in each epoch, and fills small classes from it batch by batch."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.seed = seed
        self.rng = random.Random(seed)
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        if self.seed is not None:
            random.seed(self.seed)
        pools = {label: [] for label in self.groups}
        for _ in range(len(self)):
            batch = []
            for label, group in self.groups.items():
                rng = random if len(group) < self.n else self.rng
                while len(pools[label]) < self.n:
                    pools[label] += rng.sample(group, len(group))
                batch += pools[label][: self.n]
                del pools[label][: self.n]
            yield batch
