"""What `vf-eval balanced-sampler` finds: the taskset, and plain chat as its harness."""

from verifiers.v1.harnesses.null import NullHarness

from pytest_balanced_sampler.adapters.verifiers import GradedTaskset

__all__ = ["GradedTaskset", "NullHarness"]
