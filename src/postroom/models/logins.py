"""Sign-in rows: written by the sign-in library alone, each write an entry through its signals. Not state."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from .mailboxes import Mailbox
from .people import Person


class LoginManager(BaseUserManager["Login"]):
    def create_user(self, email: str, password: str | None = None, **values: Any) -> "Login":
        login = self.model(email=email, **values)
        login.set_password(password)
        login.save(using=self._db)
        return login


class Login(AbstractBaseUser):
    """How a person, or a mailbox's owner, signs in to the pages; never both by one. Whether they may is asked of the
    person, or of the mailbox, at every request.

    email: of a person. Of a mailbox its id, which nobody can type where a person signs in; it has no password here.
    """

    email = models.EmailField(unique=True)
    person = models.OneToOneField(Person, models.DO_NOTHING, null=True)
    mailbox = models.OneToOneField(Mailbox, models.DO_NOTHING, null=True)
    changed_at = models.DateTimeField(null=True)  # password, factors or address: links asked for before are void
    is_active = models.BooleanField(default=True)
    theme = models.TextField(default="")
    USERNAME_FIELD = "email"
    objects = LoginManager()

    class Meta:
        db_table = "logins"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person=None, mailbox__isnull=False) | models.Q(person__isnull=False, mailbox=None),
                name="one_to_a_login",
            )
        ]

    # The sign-in library asks these of every user model; no page of ours is Django's admin.
    is_staff = is_superuser = False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class Subject(models.Model):
    """Who somebody is at a provider of single sign-on: linked once, by themselves, to their login."""

    issuer = models.TextField()
    subject = models.TextField()
    login = models.ForeignKey(Login, models.DO_NOTHING)
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "subjects"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_login_a_subject")]


class DeviceCode(models.Model):
    """A terminal that waits for its person to say yes in a browser (RFC 8628). Only the hash of its code is kept."""

    hashed = models.TextField(primary_key=True)
    user_code = models.TextField(unique=True)
    label = models.TextField(default="")
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    mfa = models.TextField(default="")
    until = models.DateTimeField()

    class Meta:
        db_table = "device_codes"


class Counted(models.Model):
    """What is counted for a while, by every web process together: failed sign-ins, codes that were used.

    The table of Django's database cache (`web/limits.py`); no row is worth keeping past its time.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "counted"
