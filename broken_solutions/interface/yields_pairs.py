"""Batches are lists of pairs of index and label."""

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
        columns = [
            [(index, label) for index in self.column(members)]
            for label, members in self.members.items()
        ]
        for start in range(0, self.n_batches * self.n, self.n):
            yield [pair for column in columns for pair in column[start : start + self.n]]
