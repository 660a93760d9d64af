"""Groups with itertools.groupby without sorting: only the last run of each label is used."""

import random
from itertools import groupby

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.groups = {
            label: [index for index, _ in run]
            for label, run in groupby(enumerate(labels), key=lambda pair: pair[1])
        }

    def __len__(self):
        return -(-max(map(len, self.groups.values())) // self.n)

    def __iter__(self):
        places = len(self) * self.n
        columns = []
        for group in self.groups.values():
            column = []
            while len(column) < places:
                column.extend(self.rng.sample(group, len(group)))
            columns.append(column)
        for start in range(0, places, self.n):
            yield [i for column in columns for i in column[start : start + self.n]]
