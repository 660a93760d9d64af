"""Shuffles the largest class but draws the others with replacement: some are never seen."""

import random
from collections import defaultdict

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n_samples_per_class = n_samples_per_class
        self.rng = random.Random(seed)
        self.class_to_indices = defaultdict(list)
        for idx, label in enumerate(labels):
            self.class_to_indices[label].append(idx)
        self.max_size = max(len(v) for v in self.class_to_indices.values())
        self.num_batches = (self.max_size + n_samples_per_class - 1) // n_samples_per_class

    def __len__(self):
        return self.num_batches

    def __iter__(self):
        needed = self.num_batches * self.n_samples_per_class
        epoch_indices = {}
        for label, indices in self.class_to_indices.items():
            if len(indices) == self.max_size:
                pool = indices.copy()
                self.rng.shuffle(pool)
                pool += self.rng.choices(indices, k=needed - len(pool))
            else:
                pool = self.rng.choices(indices, k=needed)
            epoch_indices[label] = pool
        for b in range(self.num_batches):
            lo = b * self.n_samples_per_class
            hi = lo + self.n_samples_per_class
            yield [i for pool in epoch_indices.values() for i in pool[lo:hi]]
