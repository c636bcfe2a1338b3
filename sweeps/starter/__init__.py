"""A first sweep.yaml from a training script that is read, never run."""
