"""Makes as many batches as the dataset fills, which is too few when a class is large."""

import math

import numpy as np
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.labels = np.array(labels)
        self.classes = np.unique(self.labels)
        self.n_samples_per_class = n_samples_per_class
        self.batch_size = n_samples_per_class * len(self.classes)
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return math.ceil(len(self.labels) / self.batch_size)

    def __iter__(self):
        needed = len(self) * self.n_samples_per_class
        rows = []
        for c in self.classes:
            idx = np.where(self.labels == c)[0]
            repeats = math.ceil(needed / len(idx))
            rows.append(np.concatenate([self.rng.permutation(idx) for _ in range(repeats)])[:needed])
        for b in range(len(self)):
            part = slice(b * self.n_samples_per_class, (b + 1) * self.n_samples_per_class)
            yield np.concatenate([row[part] for row in rows]).tolist()
