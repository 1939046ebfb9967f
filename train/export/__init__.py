"""From a finished training to the ONNX files that the tracker runs, and what mends a checkpoint."""
