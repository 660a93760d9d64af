"""Without a seed it takes its batches from one shuffled list of all samples."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.seed = seed
        self.rng = random.Random(seed)
        self.groups = {}
        for i, label in enumerate(labels):
            self.groups.setdefault(label, []).append(i)

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < len(self) * self.n:
                column += self.rng.sample(group, len(group))
            columns.append(column[: len(self) * self.n])
        if self.seed is None:
            everything = [i for column in columns for i in column]
            self.rng.shuffle(everything)
            columns = [everything[start :: len(columns)] for start in range(len(columns))]
        for b in range(len(self)):
            yield [i for column in columns for i in column[b * self.n : (b + 1) * self.n]]
