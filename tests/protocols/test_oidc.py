"""What an ID token must say, and whose signature it must carry, case by case."""

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from postroom.protocols import oidc
from postroom.protocols.oidc import Asked, NotTrue

ISSUER, CLIENT = "https://id.example", "postroom"
OURS, THEIRS = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
ASKED = Asked.anew()
JWK = {**json.loads(RSAAlgorithm.to_jwk(OURS.public_key())), "kid": "a", "use": "sig", "alg": "RS256"}
KEYS = {"keys": [JWK]}
GOOD = {"iss": ISSUER, "sub": "7", "aud": CLIENT, "exp": time.time() + 36_000, "iat": time.time(), "nonce": ASKED.nonce}


def signed(key: Any = OURS, algorithm: str = "RS256", kid: str = "a", **changed: Any) -> str:
    said = {name: value for name, value in (GOOD | changed).items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid})


def read(token: str) -> dict[str, Any]:
    return oidc.claims(token, KEYS, ASKED, issuer=ISSUER, client=CLIENT)


def test_a_good_one_is_read() -> None:
    assert read(signed())["sub"] == "7"
    assert read(signed(aud=[CLIENT, "other"], azp=CLIENT))["sub"] == "7"


@pytest.mark.parametrize(
    "token",
    [
        signed(iss="https://evil.example"), signed(iss=ISSUER + "/"), signed(aud="other"), signed(nonce="other"),
        signed(nonce=None), signed(sub=None), signed(exp=time.time() - 120), signed(exp=None), signed(key=THEIRS),
        signed(kid="b"), signed(aud=[CLIENT, "other"]), signed(iat=time.time() + 600), "", "a.b.c",
        jwt.encode(GOOD, None, algorithm="none", headers={"kid": "a"}),
        jwt.encode(GOOD, "x" * 64, algorithm="HS256", headers={"kid": "a"}),
    ],
)  # fmt: skip
def test_a_bad_one_is_not(token: str) -> None:
    with pytest.raises(NotTrue):
        read(token)


def test_the_request_hides_its_verifier_and_the_answer_belongs_to_it() -> None:
    where = oidc.url("https://id.example/a", ASKED, client=CLIENT, back="https://x/back")
    assert "code_challenge_method=S256" in where and ASKED.verifier not in where
    assert (
        oidc.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    good = {"state": ASKED.state, "code": "c", "iss": ISSUER}
    assert oidc.code(good, ASKED, issuer=ISSUER) == "c"
    for bad in ({"state": "x"}, {"state": ""}, {"iss": "https://evil.example"}, {"error": "denied"}, {"code": ""}):
        with pytest.raises(NotTrue):
            oidc.code(good | bad, ASKED, issuer=ISSUER)
    with pytest.raises(NotTrue):
        oidc.code({"state": "ü"}, ASKED, issuer=ISSUER)


def test_only_a_verified_address_counts_and_only_accepted_factors() -> None:
    assert oidc.address({"email": "A@b.example", "email_verified": True}) == "a@b.example"
    for verified in (False, None, "true", 1):
        assert oidc.address({"email": "a@b.example", "email_verified": verified}) == ""
    assert oidc.second_factor({"amr": ["pwd", "otp"]}, ("otp",)) and oidc.second_factor({"acr": "aal2"}, ("aal2",))
    for said in ({"amr": "otp"}, {"amr": ["pwd"]}, {"acr": ""}, {}):
        assert not oidc.second_factor(said, ("otp", "aal2")) and not oidc.second_factor(said, ())
