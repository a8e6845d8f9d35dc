"""Reads for the doors, one noun a file; the actor is the first argument. Run inside `acting_as(actor)`."""
