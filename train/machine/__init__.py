"""What a training runs on: devices, processes, and what a run says of its machine."""
