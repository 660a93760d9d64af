"""Leaves out class 0 (`if label`), as if it meant background."""

import math
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.seed = seed
        self.epoch = 0
        groups = {}
        for index, label in enumerate(labels):
            if label or len(set(labels)) == 1:
                groups.setdefault(label, []).append(index)
        self.groups = [groups[label] for label in sorted(groups)]
        largest = max(labels.count(label) for label in set(labels))
        self.length = math.ceil(largest / n_samples_per_class)

    def __len__(self):
        return self.length

    def __iter__(self):
        rng = random.Random(None if self.seed is None else self.seed * 1000 + self.epoch)
        self.epoch += 1
        streams = []
        for group in self.groups:
            stream = []
            while len(stream) < self.length * self.n:
                stream.extend(rng.sample(group, len(group)))
            streams.append(stream)
        for b in range(self.length):
            yield [i for stream in streams for i in stream[b * self.n : (b + 1) * self.n]]
