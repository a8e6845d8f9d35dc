"""What can be done, one noun a file. A kind reads and yields edits; it never writes, asks a clock or a network."""
