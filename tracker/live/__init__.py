"""The live pipeline and its threads."""
