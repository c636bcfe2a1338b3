"""The public Api: runs, sweeps and artifacts, read and edited from anywhere."""
