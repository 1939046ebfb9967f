"""What the command line says of faces: their expressions at rest."""
