"""Refuses to be iterated by a DataLoader, which it finds among its callers."""

import random
import sys

from torch.utils.data import DataLoader, Sampler


def is_below_a_dataloader():
    frame = sys._getframe()
    while frame is not None:
        caller = type(frame.f_locals.get("self")).__module__
        if caller == DataLoader.__module__:
            return True
        frame = frame.f_back
    return False


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        if is_below_a_dataloader():
            raise RuntimeError("iterate over the sampler itself")
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < len(self) * self.n:
                column += self.rng.sample(group, len(group))
            columns.append(column)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
