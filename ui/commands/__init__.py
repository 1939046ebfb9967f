"""The two command lines. Qt and PyTorch are imported inside the commands."""

from tracker.sources.pixel_limit import limit_pixels

limit_pixels()  # before OpenCV is imported
