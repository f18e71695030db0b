"""Signatures, seals, keys, the signed directory and development certificates.

Here: the envelope's form (DSSE), signature and seal suites by algorithm, the keyring of the
organisations at home, signer, verifier and sealer, the verified directory and what its authority
does, development certificates, the system's clock and identifiers. Not here: what a payload means
and who may state it (service, domain), the identity in a certificate (domain.spiffe), the TLS
connections themselves (transport, bus), where keys are configured (config).
"""
