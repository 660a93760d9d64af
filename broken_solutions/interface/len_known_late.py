"""Lays out the batches in __iter__, so that len() is 0 before the first epoch."""

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
        self.batches = []

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        n_batches = math.ceil(max(map(len, self.members.values())) / self.n)
        self.batches = [[] for _ in range(n_batches)]
        for members in self.members.values():
            column = []
            while len(column) < n_batches * self.n:
                column += self.rng.sample(members, len(members))
            for number, batch in enumerate(self.batches):
                batch += column[number * self.n : (number + 1) * self.n]
        return iter(self.batches)
