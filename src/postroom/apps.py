"""Start: hand the catalogue to the registries; after a migration: put guard, walls and functions on."""

import gc
from collections.abc import Iterator
from importlib.resources import files

from django.apps import AppConfig, apps
from django.db import connections
from django.db.models import Model
from django.db.models.signals import post_migrate

FORCED = "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
WALL = "CREATE POLICY wall ON {t} USING ({sees}) WITH CHECK ({owns})"
GUARD = (
    "CREATE TRIGGER postroom_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {t} "
    "FOR EACH STATEMENT EXECUTE FUNCTION postroom_guard()"
)


KEPT = (
    "CREATE TRIGGER postroom_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {t} "
    "FOR EACH STATEMENT EXECUTE FUNCTION postroom_kept()"
)
SCRIPTS = ("install", "nodes", "left", "record")
RECORD = ("entries", "edits", "places", "tree_nodes", "checkpoints")


# A plan of ten thousand mailboxes is a hundred thousand objects and no garbage: to look for it at every seven hundred,
# as Python does by itself, took a seventh of its time.
GARBAGE = (50_000, 20, 20)


class PostroomConfig(AppConfig):
    name = "postroom"

    def ready(self) -> None:
        from . import catalogue  # models are loaded only now

        catalogue.hand_over()
        gc.set_threshold(*GARBAGE)
        post_migrate.connect(install, sender=self)


def install(using: str, **_: object) -> None:
    """Guard and wall every table that needs them. Runs as postroom_owner."""
    from .models import Secret
    from .models.base import state_models

    values = {"state": ", ".join(state_models()), "secret_columns": ", ".join(Secret.columns())}
    scripts = [files("postroom").joinpath(f"sql/{name}.sql").read_text().format(**values) for name in SCRIPTS]
    with connections[using].cursor() as cursor:
        for statement in (*scripts, *guards(), *kept(), *walls()):
            cursor.execute(statement)


def body_of(function: str, script: str) -> str:
    """What a function of one of the scripts does, as it was written."""
    text = files("postroom").joinpath(f"sql/{script}.sql").read_text()
    return text.partition(f"FUNCTION {function}()")[2].split("$$")[1]


def guards() -> Iterator[str]:
    from .models.base import state_models

    for table in state_models():
        yield f"DROP TRIGGER IF EXISTS postroom_guard ON {table}"
        yield GUARD.format(t=table)


def kept() -> Iterator[str]:
    """The record's tables: put on again after every migration, whatever it had to take off."""
    for table in RECORD:
        yield f"DROP TRIGGER IF EXISTS postroom_kept ON {table}"
        yield KEPT.format(t=table)


def walls() -> Iterator[str]:
    for model in apps.get_app_config("postroom").get_models():
        table, column = model._meta.db_table, client_column(model)
        if column or private(model) or table in OWN_WALL:
            yield FORCED.format(t=table)
            yield f"DROP POLICY IF EXISTS wall ON {table}"
            seen, owned = OWN_WALL.get(table) or (sees(model, column), within(column))
            yield WALL.format(t=table, sees=seen, owns=owned)


def client_column(model: type[Model]) -> str | None:
    """The column that says whose row it is; none for what belongs to no client."""
    names = {field.attname for field in model._meta.concrete_fields}
    return "id" if model._meta.db_table == "clients" else "client_id" if "client_id" in names else None


def private(model: type[Model]) -> bool:
    """State of the organization that is not for everybody: a session is its person's and the organization's."""
    return hasattr(model, "everybody") and not model.everybody and client_column(model) is None


def within(column: str | None, *, whole: bool = False) -> str:
    # The sub-selects are worked out once a query; bare calls would be once a row.
    if not column:
        return "(SELECT postroom_everything())"
    client = f"{column} = ANY ((SELECT postroom_{'whole' if whole else 'scope'}())::uuid[])"
    shut = "" if column == "id" else f" AND ({column} = ANY ((SELECT postroom_without())::uuid[])) IS NOT TRUE"
    return f"{client} OR ((SELECT postroom_everything()){shut})"


def sees(model: type[Model], column: str | None) -> str:
    table = model._meta.db_table
    if table in NARROW:  # the record of a client is its own; at single domains, what is about these
        return (
            f"{within(column, whole=True)} OR ({column} = ANY ((SELECT postroom_scope())::uuid[]) AND {NARROW[table]})"
        )
    also = f" OR {column} IS NULL" if column and getattr(model, "everybody", False) else ""
    mine, own = getattr(model, "mine", ""), (getattr(model, "own", ""), getattr(model, "own_too", ""))
    also += f" OR {mine} = (SELECT postroom_person())" if mine else ""
    return within(column) + also + "".join(f" OR {one} = ANY ((SELECT postroom_own())::uuid[])" for one in own if one)


ENTRY = "postroom_recorded_for({}, (SELECT postroom_domains()), (SELECT postroom_person()))"
# A batch is of several clients: whoever made it sees it, and whoever sees one of its changes.
MADE = "proposer_id = (SELECT postroom_person()) OR (proposer_id IS NULL AND (SELECT postroom_everything()))"
TOKEN = "EXISTS (SELECT FROM api_tokens k WHERE k.id = token_id)"  # from where it came, whoever sees the token sees
ONES_OWN = "person_id = (SELECT postroom_person())"
OWN_WALL = {
    "batches": (f"{MADE} OR EXISTS (SELECT FROM changes c WHERE c.batch_id = batches.id)", MADE),
    "token_uses": (TOKEN, TOKEN),
    "saved_views": (ONES_OWN, ONES_OWN),
}
CHANGE = "EXISTS (SELECT FROM changes c WHERE c.id = change_id)"
NARROW = {
    "changes": "(proposer_id = (SELECT postroom_person()) OR domains <@ (SELECT postroom_domains())::uuid[])",
    "entries": ENTRY.format("id"),
    "edits": ENTRY.format("entry_id"),
    "places": ENTRY.format("entry_id"),
    **dict.fromkeys(("deliveries", "approvals", "reviews", "due"), CHANGE),
}
