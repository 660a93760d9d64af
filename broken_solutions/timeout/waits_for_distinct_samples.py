"""Draws until a batch has n distinct samples of a class, for ever where the class is smaller."""

import math
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
        self.num_batches = math.ceil(max(map(len, self.groups.values())) / self.n)

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        unseen = {label: self.rng.sample(group, len(group)) for label, group in self.groups.items()}
        for _ in range(self.num_batches):
            batch = []
            for label, group in self.groups.items():
                chosen = set()
                while len(chosen) < self.n:
                    chosen.add(unseen[label].pop() if unseen[label] else self.rng.choice(group))
                batch += sorted(chosen)
            yield batch
