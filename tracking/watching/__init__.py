"""Histograms of gradients and parameters of torch models."""
