"""Results sent to other programs, one protocol a file."""
