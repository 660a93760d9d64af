"""Is its own iterator: iter() in the middle of an epoch goes on where the last one was broken off."""

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
        self.batches = []

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        if not self.batches:
            columns = []
            for members in self.members.values():
                column = []
                while len(column) < self.n_batches * self.n:
                    column += self.rng.sample(members, len(members))
                columns.append(column)
            self.batches = [
                [index for column in columns for index in column[b * self.n : (b + 1) * self.n]]
                for b in range(self.n_batches)
            ]
        return self

    def __next__(self):
        if not self.batches:
            raise StopIteration
        return self.batches.pop()
