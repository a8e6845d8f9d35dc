"""Observers: what is wrong, as it was last read. They write findings and nothing else; a person submits what helps.

Knows models and access, no change: `changes` is never imported here.
"""
