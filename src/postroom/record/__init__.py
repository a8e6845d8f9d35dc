"""The record as a log that proves itself: places, tree, signed checkpoints, and their verification.

It speaks SQL to the record's tables and knows nothing of what stands in them; `changes/record.py` writes entries.
Sequencer and signer are processes of their own, each with a role of its own in the database.
"""
