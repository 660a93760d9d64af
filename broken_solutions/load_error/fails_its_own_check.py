"""Checks itself when it is imported, and the check is wrong."""

import math
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.members = {}
        for index, label in enumerate(labels):
            self.members.setdefault(label, []).append(index)
        self.n_batches = math.ceil(max(map(len, self.members.values())) / self.n)

    def __len__(self):
        return self.n_batches

    def column(self, members):
        """One class's indices for an epoch: shuffled, and oversampled to fill its places."""
        column = self.rng.sample(members, len(members))
        while len(column) < self.n_batches * self.n:
            column += self.rng.sample(members, len(members))
        return column

    def __iter__(self):
        columns = [self.column(members) for members in self.members.values()]
        for start in range(0, self.n_batches * self.n, self.n):
            yield [index for column in columns for index in column[start : start + self.n]]


sampler = BalancedBatchSampler([0, 0, 0, 1], n_samples_per_class=2, seed=0)
assert len(list(sampler)) == 1, "expected a single batch"
