"""What an operation does not know is refused by name, never passed over: a filter that was misspelt shows everything.

In bodies the schemas say so themselves (`Body`); parameters of the query are held here against the operation's own.
"""

import json
from typing import Any

from django.http import HttpRequest
from ninja import Schema
from pydantic import ConfigDict

from postroom.changes.errors import Problem, Problems

UNKNOWN = "this operation knows no such parameter"
TWICE = "said more than once; it counts once"
NO_BODY = "this operation takes no body"
NAMED = 20  # of many, these are said


class Body(Schema):
    """What an operation is sent; a field it does not know is refused: `dryrun` is not `dry_run`."""

    model_config = ConfigDict(extra="forbid")


def only_asked(request: HttpRequest, view: Any) -> None:
    """Problems with every parameter, or field of a body, that the operation of this view does not take."""
    models = view._ninja_operation.models
    known = {name for one in models if one.__ninja_param_source__ == "query" for name in one.__ninja_flatten_map__}
    wrong = [Problem(name, UNKNOWN) for name in request.GET if name not in known]
    wrong += [Problem(name, TWICE) for name, values in request.GET.lists() if name in known and len(values) > 1]
    if not any(one.__ninja_param_source__ == "body" for one in models):
        wrong += [Problem(name, NO_BODY) for name in _sent(request.body)]
    if wrong:
        raise Problems(wrong[:NAMED])


def _sent(body: bytes) -> list[str]:
    """The fields of a body; of one that is no object, the body itself."""
    if not body.strip():
        return []
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or nested too deeply to be read
        return ["body"]
    return list(sent) if isinstance(sent, dict) else ["body"]
