"""Several trainings that make one table, each kept in a folder of its own."""
