"""Judges of a domain: each a pure function of its name and a store of answers, one noun a file (protocols/judged.py).

domain.py asks them all. They say what is and what follows; whether somebody is told, and when, is for posture/.
"""
