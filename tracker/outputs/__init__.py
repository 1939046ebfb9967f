"""Where results go: data files, drawn pictures, recordings."""
