"""Seeds each epoch by its number, but counts the epochs of all samplers together."""

import math
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    epoch = 0

    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.seed = random.randrange(2**32) if seed is None else seed
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)
        self.num_batches = math.ceil(max(map(len, self.groups.values())) / self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        rng = random.Random(f"{self.seed}-{self.epoch}")
        BalancedBatchSampler.epoch += 1
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < self.num_batches * self.n:
                column.extend(rng.sample(group, len(group)))
            columns.append(column)
        for b in range(self.num_batches):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
