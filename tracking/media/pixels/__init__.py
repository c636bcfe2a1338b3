"""From the arrays of any library to pixels, frames, boxes and masks."""
