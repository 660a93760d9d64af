"""Calls the argument samples_per_class, so that the keyword asked for is unknown."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, samples_per_class, seed=None):
        super().__init__()
        self.samples_per_class = samples_per_class
        self.rng = random.Random(seed)
        self.groups = {}
        for index, label in enumerate(labels):
            self.groups.setdefault(label, []).append(index)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.samples_per_class)

    def __iter__(self):
        k = self.samples_per_class
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < len(self) * k:
                column.extend(self.rng.sample(group, len(group)))
            columns.append(column)
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * k : (b + 1) * k]]
