"""Removes each sample from a list of all that are left: quadratic in the number of labels."""

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
        left = [i for group in self.groups.values() for i in group]
        self.rng.shuffle(left)
        queues = {label: self.rng.sample(group, len(group)) for label, group in self.groups.items()}
        for _ in range(self.num_batches):
            batch = []
            for label, group in self.groups.items():
                for _ in range(self.n):
                    if not queues[label]:
                        queues[label] = self.rng.sample(group, len(group))
                    i = queues[label].pop()
                    if i in left:
                        left.remove(i)
                    batch.append(i)
            yield batch
