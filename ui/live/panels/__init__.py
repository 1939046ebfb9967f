"""The side panel of the live window: its pages, and how it lies beside or over the picture."""
