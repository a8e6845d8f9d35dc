"""Postroom: the control plane an agency runs its clients' email with."""
