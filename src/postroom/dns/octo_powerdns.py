"""The octoDNS provider for PowerDNS, made exact: string cuts of TXT kept, failures named, no proxies.

PowerDNS speaks zone-file text in its API. octodns_powerdns hands TXT on as it stands between the outer
quotes, and octoDNS then joins the strings; here they are read and written in full. Records somebody disabled
are not served, so they are not read as standing there; what is written beside them leaves them disabled.
"""

from collections.abc import Mapping
from typing import Any

import requests
from octodns_powerdns import PowerDnsProvider

from postroom.dns.translate import txt_from_octo, txt_to_octo
from postroom.dns.zone import ZoneError
from postroom.protocols.rrset import TYPES
from postroom.protocols.txt import txt_quoted, txt_strings, txt_value

TIMEOUT = 4  # seconds for one request; a reading must be there within five


Asleep = dict[tuple[str, str], list[dict[str, Any]]]


class KeyRefused(ZoneError):
    """The provider does not take our API key."""


class ExactPowerDns(PowerDnsProvider):  # type: ignore[misc]  # octoDNS has no types
    """PowerDNS as octoDNS knows it, with what was found kept octet for octet."""

    # What is not read cannot be touched; nothing else is ever ours to write.
    SUPPORTS = set(TYPES)

    _asleep: Asleep  # the disabled records of the sets read last, by name and type

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> "ExactPowerDns":
        """From the settings host, port, api_key."""
        provider = cls(
            "powerdns",
            host=settings["host"],
            api_key=settings["api_key"],
            port=int(settings["port"]),
            timeout=TIMEOUT,
            mode_of_operation="native",
            enable_dynamic=False,
            root_ns_warnings=False,
        )
        # Proxy variables and .netrc of the process are not meant for our own servers.
        provider._sess.trust_env = False
        provider._asleep = {}
        return provider

    def remove_empty_zone(self, name: str) -> bool:
        """Delete a zone in which nothing but SOA and apex NS stands, whatever its type; False if more does.

        Raises requests.RequestException.
        """
        rrsets = self._request("GET", f"zones/{name}").json()["rrsets"]
        if any((one["name"], one["type"]) not in {(name, "SOA"), (name, "NS")} for one in rrsets):
            return False
        self._request("DELETE", f"zones/{name}")
        return True

    def _request(self, method: str, path: str, data: Any = None) -> Any:
        try:
            return super()._request(method, path, data=data)
        except requests.HTTPError as why:
            if why.response is not None and why.response.status_code in {401, 403}:
                raise KeyRefused(f"{self.host}:{self.port} refuses the API key") from why
            raise
        except requests.ConnectionError as why:
            raise ZoneError(f"{self.host}:{self.port} cannot be reached") from why
        except requests.Timeout as why:
            raise ZoneError(f"{self.host}:{self.port} did not answer within {TIMEOUT} s") from why

    def _get(self, path: str, data: Any = None) -> Any:
        response = super()._get(path, data=data)
        return _Enabled(response, self._asleep) if path.startswith("zones/") else response

    def _mod_Create(self, change: Any) -> Any:
        return self._beside(super()._mod_Create(change))

    def _mod_Update(self, change: Any) -> Any:
        return self._beside(super()._mod_Update(change))

    def _mod_Delete(self, change: Any) -> Any:
        return self._beside({**super()._mod_Delete(change), "records": []})

    def _beside(self, modification: dict[str, Any]) -> dict[str, Any]:
        asleep = self._asleep.get((modification["name"], modification["type"]))
        if not asleep:
            return modification
        return {**modification, "changetype": "REPLACE", "records": [*modification["records"], *asleep]}

    def _data_for_TXT(self, rrset: dict[str, Any]) -> dict[str, Any]:
        contents = [txt_value(txt_strings(record["content"])) for record in rrset["records"]]
        return {"type": "TXT", "ttl": rrset["ttl"], "values": list(map(txt_to_octo, contents))}

    def _records_for_TXT(self, record: Any) -> tuple[list[dict[str, Any]], str]:
        contents = [txt_quoted(txt_from_octo(value)) for value in record.values]
        return [{"content": content, "disabled": False} for content in contents], "TXT"


class _Enabled:
    """An answer of the API about a zone without its disabled records, which it notes down."""

    def __init__(self, response: Any, asleep: Asleep) -> None:
        self.response, self.asleep = response, asleep

    def json(self) -> dict[str, Any]:
        zone: dict[str, Any] = self.response.json()
        rrsets = []
        for rrset in zone["rrsets"]:
            kept = [record for record in rrset["records"] if not record["disabled"]]
            self.asleep[rrset["name"], rrset["type"]] = [one for one in rrset["records"] if one["disabled"]]
            if kept:
                rrsets.append({**rrset, "records": kept})
        return {**zone, "rrsets": rrsets}
