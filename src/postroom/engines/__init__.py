"""The mail node: Postfix, Dovecot, a milter and an agent that keeps their maps, in one folder on one address.

Takes dataclasses and rows, knows neither Django nor the models: the control plane is a `Source` (source.py) to it.
`node.py` is where to start reading; `layout.py` says what lies where.
"""
