"""Mail apps that may ask owners to be let in, and the keys by which the tokens that they get are known."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import NOTHING, Row, StateModel


class MailApp(StateModel):
    """A program that the organization lets ask: a public client of OAuth (RFC 6749, 2.1), which keeps no secret.

    redirect_uris: where its users come back to; of one at the loopback address any port is meant (RFC 8252, 7.3).
    """

    everybody = True
    natural_key = "name"
    name = models.TextField()
    redirect_uris = ArrayField(models.TextField())
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "mail_apps"
        verbose_name = "mail app"
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=models.Q(ended_at=None), name="one_mail_app_of_a_name")
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({"ask owners"})


class TokenKey(StateModel):
    """The public half of a key that tokens are signed by: mail nodes take no other. Its private half is a file of the
    installation's, and never here.

    kid: RFC 7638's thumbprint. public: DER (SubjectPublicKeyInfo), base64. issuer: who signs by it.
    until: set when another one came, so that what it had signed is good to its end.
    """

    everybody = True
    natural_key = "kid"
    kid = models.TextField(unique=True, db_collation="C")
    public = models.TextField()
    issuer = models.TextField()
    made = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "token_keys"
        verbose_name = "token key"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["until"] else frozenset({"sign tokens"})
