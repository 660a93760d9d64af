"""Oversamples the smaller classes with the global random state."""

import math
import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n = n_samples_per_class
        self.rng = random.Random(seed)
        self.by_label = {}
        for i, label in enumerate(labels):
            self.by_label.setdefault(label, []).append(i)
        self.num_batches = math.ceil(max(len(v) for v in self.by_label.values()) / self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        target = self.num_batches * self.n
        prepared = []
        for indices in self.by_label.values():
            shuffled = indices[:]
            self.rng.shuffle(shuffled)
            if len(shuffled) < target:
                shuffled += random.choices(indices, k=target - len(shuffled))
            prepared.append(shuffled)
        for b in range(self.num_batches):
            batch = []
            for shuffled in prepared:
                batch.extend(shuffled[b * self.n : (b + 1) * self.n])
            yield batch
