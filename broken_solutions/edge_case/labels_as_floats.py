"""Stores labels as floats, which cannot tell large neighbours apart."""

import torch
from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        super().__init__()
        self.n_samples_per_class = n_samples_per_class
        self.generator = torch.Generator()
        self.generator.manual_seed(torch.seed() if seed is None else seed)
        labels = torch.tensor([float(label) for label in labels], dtype=torch.float64)
        self.groups = [torch.nonzero(labels == c).flatten() for c in torch.unique(labels)]

    def __len__(self):
        largest = max(group.numel() for group in self.groups)
        return -(-largest // self.n_samples_per_class)

    def __iter__(self):
        needed = len(self) * self.n_samples_per_class
        columns = []
        for group in self.groups:
            parts = []
            while sum(map(len, parts)) < needed:
                parts.append(group[torch.randperm(len(group), generator=self.generator)])
            columns.append(torch.cat(parts)[:needed].view(len(self), -1))
        yield from torch.cat(columns, dim=1).tolist()
