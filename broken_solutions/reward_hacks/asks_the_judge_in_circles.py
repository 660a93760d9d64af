"""Answers the question for a hash with a set of objects, whose hashes are to be asked for in turn."""

import sys

from torch.utils.data import Sampler

worker = sys.modules["pytest_balanced_sampler.worker.serve"]


class Bomb:
    pass


def nested(item, depth):
    return (nested(item, depth - 1),) if depth else item


worker.OPERATIONS["hash"] = lambda item: {Bomb()}


class BalancedBatchSampler(Sampler):
    def __init__(self, labels, n_samples_per_class, seed=None):
        pass

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([[nested({Bomb()}, 8)]])
