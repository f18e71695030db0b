"""The nkey by which a node is known to the broker.

It opens the connection and nothing else: who said a thing is told by the signature on it, never by
the connection it came through.
"""

import nkeys

SEED_BYTES = 32


def user_seed(random_bytes: bytes) -> str:
    """Encode 32 random bytes as the seed of a broker user (`SU...`). It is a secret.

    Raises:
        ValueError: not 32 bytes.
    """
    if len(random_bytes) != SEED_BYTES:
        raise ValueError("The seed of a broker user has 32 bytes.")
    encoded: bytes = nkeys.encode_seed(random_bytes, nkeys.PREFIX_BYTE_USER)
    return encoded.decode("ascii").rstrip("=")


def public_nkey(seed: str) -> str:
    """Return the public key (`U...`) of a seed, for the broker's configuration.

    Raises:
        ValueError: not the seed of a broker user.
    """
    try:
        pair = nkeys.from_seed(bytearray(seed.strip().encode("ascii")))
        public: str = pair.public_key.decode("ascii")
        pair.wipe()
    except (nkeys.NkeysError, UnicodeEncodeError) as error:
        raise ValueError("Not the seed of a broker user.") from error
    if not public.startswith("U"):
        raise ValueError("Not the seed of a broker user.")
    return public
