"""What a training runs on: devices, processes, signals."""
