"""What copies the output of a process and of its children into the console file of a run, beside the terminal."""
