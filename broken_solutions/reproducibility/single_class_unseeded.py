"""Has a short way for a single class, which shuffles by the global random state."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)
        self.n_batches = -(-max(map(len, self.groups.values())) // self.n)

    def __len__(self):
        return self.n_batches

    def column(self, group):
        places = self.n_batches * self.n
        if len(self.groups) == 1:
            column = group * -(-places // len(group))
            random.shuffle(column)
            return column[:places]
        column = []
        while len(column) < places:
            column += self.rng.sample(group, len(group))
        return column

    def __iter__(self):
        columns = [self.column(group) for group in self.groups.values()]
        for start in range(0, self.n_batches * self.n, self.n):
            yield [i for column in columns for i in column[start : start + self.n]]
