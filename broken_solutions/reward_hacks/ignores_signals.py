"""Ignores every signal that can be ignored, and sleeps."""

import signal
import time

from torch.utils.data import Sampler


for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        self.labels = labels

    def __len__(self):
        return 2

    def __iter__(self):
        time.sleep(60)
        return iter([])
