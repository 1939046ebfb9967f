"""The two command lines. Qt and PyTorch are imported inside the commands."""
