"""Operators of PyTorch that are loops of ours, so that whatever watches operators sees them."""

from __future__ import annotations

import torch

LIBRARY = torch.library.Library("recsys", "FRAGMENT")
