"""Looks each sample up in a list of those already seen: quadratic in the size of a class."""

import random

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n_samples_per_class = n_samples_per_class
        self.rng = random.Random(seed)
        self.class_indices = {}
        for index, label in enumerate(labels):
            self.class_indices.setdefault(label, []).append(index)

    def __len__(self):
        largest = max(len(indices) for indices in self.class_indices.values())
        return (largest + self.n_samples_per_class - 1) // self.n_samples_per_class

    def __iter__(self):
        seen = {label: [] for label in self.class_indices}
        shuffled = {c: self.rng.sample(v, len(v)) for c, v in self.class_indices.items()}
        for _ in range(len(self)):
            batch = []
            for label, indices in self.class_indices.items():
                for _ in range(self.n_samples_per_class):
                    if len(seen[label]) == len(indices):
                        batch.append(self.rng.choice(indices))
                        continue
                    candidate = shuffled[label].pop()
                    if candidate not in seen[label]:
                        seen[label].append(candidate)
                        batch.append(candidate)
            yield batch
