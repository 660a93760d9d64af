"""Leaves out negative labels, as if they meant unlabelled."""

import math
import random
from collections import defaultdict

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = defaultdict(list)
        for i, label in enumerate(labels):
            if label >= 0:
                self.groups[label].append(i)
        self.num_batches = math.ceil(max(map(len, self.groups.values())) / self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        columns = []
        for label in sorted(self.groups):
            group = self.groups[label]
            column = []
            while len(column) < self.num_batches * self.n:
                column += self.rng.sample(group, len(group))
            columns.append(column)
        for b in range(self.num_batches):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
