"""Windows (PyQt6). The only room with Qt."""
