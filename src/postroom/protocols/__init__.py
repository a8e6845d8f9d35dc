"""The standards as pure functions: no Django, no network, no files.

Each module opens with its RFC. What a door or a server hands in is text of unknown origin; what
comes out is the one canonical form the rest of the program keeps, or an error that says what is
wrong, where, and what would be right.
"""
