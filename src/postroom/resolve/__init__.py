"""DNS questions: one to a given authoritative server (ask, walk), many at once to a resolver (engine, cache, closing).

A question that got no good answer is *not read*, or failed: never "there is no such record". Whether a change landed
is asked of the authoritative servers and kept nowhere; what is judged is asked of a resolver, and kept by its TTL.
"""
