"""What pages are made of: the shapes that views fill and templates show.

`shapes` holds the parts, `pages` one shape a page, `words` renders what stands inside a line, `plain` puts
edits into plain words. Nothing here reads a row or knows a model: a view asks `queries` and fills these.
"""
