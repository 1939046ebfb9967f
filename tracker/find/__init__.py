"""One frame in, landmarks out: detectors, crops, the network, geometry."""
