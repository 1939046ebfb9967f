"""`train label` and `train spread`: what is labelled, by hand and from there on."""
