"""The paper's data sets: two that are generated, and readers for those that are downloaded."""
