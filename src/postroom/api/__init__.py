"""The API, /api/v1: parse, ask, show. Errors are RFC 9457 problem details."""
