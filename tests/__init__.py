"""The tests. Pictures larger than allowed are refused in them, too: set before OpenCV comes."""

from tracker.sources.pixel_limit import limit_pixels

limit_pixels()
