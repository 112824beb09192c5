"""What a device reads and writes: for each task its language, and what all languages share."""
