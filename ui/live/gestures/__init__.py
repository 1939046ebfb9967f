"""Teaching a gesture in the live window."""
