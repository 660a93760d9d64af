"""Clamps the logits, where their gradient ends."""

import torch
from torch.nn.functional import logsigmoid


def focal_loss(logits, targets, gamma=2.0):
    if logits.shape != targets.shape:
        raise ValueError("logits and targets differ in shape")
    if gamma < 0:
        raise ValueError("gamma must not be negative")
    logits = logits.clamp(-15, 15)
    sign = 2 * targets.to(logits.dtype) - 1
    log_right = logsigmoid(sign * logits)
    log_wrong = logsigmoid(-sign * logits)
    return -(torch.exp(gamma * log_wrong) * log_right).mean()


def gradient(logits, targets, gamma=2.0):
    logits = logits.detach().clone().requires_grad_()
    (result,) = torch.autograd.grad(focal_loss(logits, targets, gamma), logits)
    return result
