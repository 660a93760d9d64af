"""Index shuffling: the whole epoch is laid out as one table before the first batch goes out."""

from collections import defaultdict

import torch
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.generator = torch.Generator()
        if seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(seed)
        groups = defaultdict(list)
        for index, label in enumerate(labels):
            groups[label].append(index)
        self.groups = [torch.tensor(group) for group in groups.values()]
        self.n = n_samples_per_class
        self.n_batches = (max(map(len, self.groups)) + self.n - 1) // self.n

    def __len__(self):
        return self.n_batches

    def column(self, group):
        """One class's indices for the whole epoch: all of them, then as many again as it takes."""
        places = self.n_batches * self.n
        extra = torch.randint(len(group), (places - len(group),), generator=self.generator)
        chosen = torch.cat([group, group[extra]])
        return chosen[torch.randperm(places, generator=self.generator)]

    def __iter__(self):
        columns = torch.stack([self.column(group) for group in self.groups])
        table = columns.view(len(self.groups), self.n_batches, self.n).transpose(0, 1)
        return iter(table.reshape(self.n_batches, -1).tolist())
