"""What we publish: record sets laid over live zones, read back from the servers that serve them.

Providers are reached through octoDNS. Records we do not answer for are never touched, the SOA and the NS
set at the apex never at all. Names and values are `protocols.rrset.RRset`; no models, no Django.
"""
