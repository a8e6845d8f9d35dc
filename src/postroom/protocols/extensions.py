"""An address with an extension, mia+news@acme.example, as Postfix and our maps take it (RFC 5233)."""


def parts(address: str) -> tuple[str, str, str]:
    """The address without its extension, the extension with its +, and "@domain". A + in front begins none."""
    local, _, domain = address.rpartition("@")
    name, plus, rest = local.partition("+")
    return (f"{name}@{domain}", plus + rest, "@" + domain) if name and plus else (address, "", "@" + domain)


def keys(address: str) -> frozenset[str]:
    """What the rules of an address are looked up by."""
    bare, _, domain = parts(address)
    return frozenset({address, bare, domain})


def with_extension(extension: str, target: str) -> str:
    local, _, domain = target.rpartition("@")
    return f"{local}{extension}@{domain}"
