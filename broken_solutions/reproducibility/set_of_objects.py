"""Keeps samples in a set of objects, whose order follows from their addresses."""

import math
import random

from torch.utils.data import Sampler


class Sample:
    def __init__(self, index, label):
        self.index = index
        self.label = label


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.classes = sorted(set(labels))
        self.samples = {Sample(index, label) for index, label in enumerate(labels)}

    def __len__(self):
        sizes = {label: 0 for label in self.classes}
        for sample in self.samples:
            sizes[sample.label] += 1
        return math.ceil(max(sizes.values()) / self.n)

    def __iter__(self):
        groups = {label: [] for label in self.classes}
        for sample in self.samples:
            groups[sample.label].append(sample.index)
        n_batches = len(self)
        columns = []
        for group in groups.values():
            column = []
            while len(column) < n_batches * self.n:
                self.rng.shuffle(group)
                column += group
            columns.append(column)
        for start in range(0, n_batches * self.n, self.n):
            yield [index for column in columns for index in column[start : start + self.n]]
