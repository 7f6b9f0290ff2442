"""A certificate authority of these tests, and one certificate for all servers on this machine."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files (PEM)."""

    authority: Path
    chain: Path
    key: Path

    def for_a_server(self) -> ssl.SSLContext:
        """With which a server shows who it is."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """New ones, in ``folder``."""
    made = Certificates(folder / "authority.pem", folder / "chain.pem", folder / "key.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made.authority)
    server = authority.issue_cert("127.0.0.1", "localhost")
    server.private_key_pem.write_to_path(made.key)
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(made.chain, append=number > 0)
    return made
