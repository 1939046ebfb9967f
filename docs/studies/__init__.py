"""Experiments whose tables are in the docs: each a script with the data's place as an option."""
