"""What opens things on a node, made once: its X25519 key, doveadm's, and the hash of the system sender's password.

DKIM keys reach the node sealed to its public half and stay sealed on disk; only the milter holds the private half, in
memory. Each file is readable by the one program that needs it.
"""

import base64
import hmac
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from nacl.public import PrivateKey, SealedBox

from postroom.host import files

from .layout import NodeConfig

# The password is machine-made, so the hash need not be slow; it is the one that signs in for every notice.
HASHER = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)


def make_missing(config: NodeConfig) -> None:
    """node.key (milter), doveadm.key (agent), policy.key (count of sign-ins), srs.key (postsrsd), and system.hash
    (agent) if there is a system sender."""
    _once(config.node_key, bytes(PrivateKey.generate()), config.users.milter)
    _once(config.doveadm_key, secrets.token_urlsafe(32).encode(), config.users.agent)
    _once(config.policy_key, secrets.token_urlsafe(32).encode(), config.users.policy)
    _once(config.srs_key, secrets.token_urlsafe(32).encode(), config.users.srs)
    if config.system_password is not None:
        _hash(config.system_password.read_text().strip(), config.system_hash, config.users.agent)


def _once(path: Path, value: bytes, group: str) -> None:
    files.write(path, base64.b64encode(value) + b"\n", mode=0o640, group=group, replace=False)


def _hash(password: str, path: Path, group: str) -> None:
    """A new hash only for a new password: the agent compares."""
    if path.exists():
        try:
            HASHER.verify(path.read_text().strip().removeprefix("{ARGON2ID}"), password)
            return
        except VerifyMismatchError:
            pass
    files.write(path, f"{{ARGON2ID}}{HASHER.hash(password)}\n".encode(), mode=0o640, group=group)


def node_private_key(config: NodeConfig) -> PrivateKey:
    return PrivateKey(base64.b64decode(config.node_key.read_text()))


def public_key(config: NodeConfig) -> str:
    """Base64 of the node's X25519 public key; made if the node never ran. Needs root, or the milter's group."""
    if not config.node_key.exists():
        files.folder(config.folder)
        files.folder(config.node_key.parent)
        _once(config.node_key, bytes(PrivateKey.generate()), config.users.milter)
    return base64.b64encode(bytes(node_private_key(config).public_key)).decode()


def unsealed(sealed: str, key: PrivateKey) -> bytes:
    """What was sealed to this node (base64 of a libsodium sealed box). Raises nacl's CryptoError if it was not."""
    return SealedBox(key).decrypt(base64.b64decode(sealed))


def policy_key(config: NodeConfig) -> str:
    """With which Dovecot asks who counts sign-ins."""
    return config.policy_key.read_text().strip()


def policy_nonce(config: NodeConfig) -> str:
    """What Dovecot hashes a tried password with, so that the 12 bits it hands on say nothing elsewhere."""
    return hmac.digest(policy_key(config).encode(), b"nonce", "sha256").hex()


def token_key(policy: str) -> str:
    """With which Dovecot asks about tokens, of the key it asks by who counts: it stands in an address, so it is hex."""
    return hmac.digest(policy.encode(), b"tokens", "sha256").hex()


def doveadm_api_key(config: NodeConfig) -> str:
    return config.doveadm_key.read_text().strip()
