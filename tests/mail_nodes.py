"""A mail node as the database sees it: what is on its list, and what it says it read back."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from postroom.engines.postfix_maps import handed_to

Node = psycopg.Connection[tuple[Any, ...]]


def pull(node: Node) -> dict[int, Any]:
    """What is on the node's list: todo → the compiled object."""
    return {row[0]: row[4] for row in node.execute("SELECT * FROM node_pull()").fetchall()}


def acknowledge(node: Node, todo: list[int] | None = None, *, agrees: bool = True) -> int:
    """Strike these off (or all), each with the answers of daemons that serve it as compiled; or of some that do not."""
    listed = pull(node)
    todo = list(listed) if todo is None else todo
    evidence = Jsonb([answers(listed.get(one) if agrees else WRONG) for one in todo])  # one list a todo, in their order
    ((struck,),) = node.execute("SELECT node_ack(%s, %s)", [todo, evidence]).fetchall()
    return int(struck)


NOBODY = "nobody@elsewhere.example"
WRONG = {"maps": {"route": [{"source": NOBODY, "destination": NOBODY}], "mailbox": [{"address": NOBODY}]}}


def answers(compiled: Any) -> list[dict[str, Any]]:
    """What a node's daemons answer that serve this, in the agent's words."""
    maps = (compiled or {}).get("maps", {})
    said: dict[str, Any] = {"generation of maps": 1}
    for name, key, value in (
        ("mailbox", "address", "address"),
        ("route", "source", "destination"),
        ("sender", "sender", "login"),
        ("domain", "name", "name"),
        ("alias_domain", "name", "target"),
    ):
        for row in maps.get(name, ()):
            said.setdefault(f"postmap -q {name}", {}).setdefault(row[key], []).append(row[value])
    for row in maps.get("handed", ()):
        said.setdefault("postmap -q handed", {})[row["address"]] = [handed_to(row)]
    for row in maps.get("mailbox", ()):
        said[f"doveadm user {row['address']}"] = {"address": row["address"]}
    for row in maps.get("login", ()):
        said[f"doveadm login {row['address']}"] = "not there"
        said[f"app passwords of {row['address']}"] = []
        said[f"consents of {row['address']}"] = []
        if row["sign_in"]:
            said[f"sessions of before {row['address']}"] = []
        else:
            said[f"who {row['address']}"] = []
    for row in (compiled or {}).get("secrets", {}).get("password", ()):
        said[f"doveadm login {row['address']}"] = {"address": row["address"]}
    for row in (compiled or {}).get("secrets", {}).get("app", ()):
        said[f"app passwords of {row['address']}"].append(row["cred"])
    for row in (compiled or {}).get("secrets", {}).get("filter", ()):
        in_force = {"active": "postroom" if row["active"] else "", "digest": row["digest"]}
        said[f"sieve script of {row['address']}, revision {row['revision']}"] = in_force
    for row in maps.get("consent", ()):
        said[f"consents of {row['address']}"].append(row["cred"])
    for row in maps.get("behalf", ()):
        said.setdefault(f"milter behalf of {row['sender']}", []).append(row["login"])
    for row in maps.get("opens", ()):
        said.setdefault(f"doveadm acl rights {row['address']}", {})[row["login"]] = row["rights"]
    for row in maps.get("token_key", ()):
        said[f"token key {row['kid']}"] = row["public"]
    for row in maps.get("allowed", ()):
        said[f"filters of {row['source']} may pass mail on to {row['target']}"] = True
    for row in maps.get("forbidden", ()):
        said[f"filters of {row['source']} never pass mail on to {row['target']}"] = True
    for row in (compiled or {}).get("keys", {}).get("key", ()):
        said[f"milter keys of {row['domain']}"] = [[row["selector"], row["algorithm"].split("-")[0], row["since"]]]
    return [{"question": question, "answer": answer} for question, answer in said.items()]
