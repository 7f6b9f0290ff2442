"""An authority of the demo's own, and one certificate for all its nodes: they speak TLS as anywhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files (PEM)."""

    authority: Path
    chain: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """New ones for ``localhost``, in ``folder``."""
    made = Certificates(folder / "authority.pem", folder / "chain.pem", folder / "private_key.pem")
    authority = trustme.CA(organization_name="Kairan demo")
    authority.cert_pem.write_to_path(made.authority)
    server = authority.issue_cert("localhost", "127.0.0.1")
    with os.fdopen(os.open(made.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(server.private_key_pem.bytes())
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(made.chain, append=number > 0)
    return made
