"""Forks a few hundred processes."""

import os
import time

from torch.utils.data import Sampler


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.labels = labels

    def __len__(self):
        return 2

    def __iter__(self):
        for _ in range(300):
            if os.fork() == 0:
                time.sleep(2)
                os._exit(0)
        return iter([])
