"""From a checkpoint to the ONNX files that the tracker runs."""
