"""Training: networks, losses, data and the `train` commands. The only room with torch."""

import engines  # noqa: F401  before onnxruntime anywhere in here: switches its telemetry off
