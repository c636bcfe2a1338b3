"""What the machine does while a run goes on: CPU, memory, disk, network, GPUs."""
