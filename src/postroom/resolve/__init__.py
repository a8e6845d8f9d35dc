"""DNS questions to authoritative servers, and a fake that answers from a table.

A question that got no good answer is *not read*: never "there is no such record". There is no cache and
no recursion through somebody's resolver: what is asked here is whether a change has landed.
"""
