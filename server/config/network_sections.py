"""The sections about doors and networks: who reaches the node, and whom it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.config import values
from server.foundation.settings import Address, IpNetwork, address, flag, list_of, network, optional, path, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """[http]"""

    listen: Address = setting(
        "Where the node answers plain HTTP; a reverse proxy in front of it speaks TLS.",
        parse=address,
        default=Address("127.0.0.1", 8008),
    )
    public_url: str = setting(
        "The address that residents use; it is printed on invitations. Empty: https:// and the server name.",
        parse=values.public_url,
        default="",
    )
    trusted_proxies: tuple[IpNetwork, ...] = setting(
        "Reverse proxies whose X-Forwarded-For is believed.", parse=list_of(network), default=()
    )
    development: bool = setting(
        "Whether there are pages for whoever works on Kairan: /_design shows all parts of pages.",
        parse=flag,
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationSettings:
    """[federation]"""

    enabled: bool = setting("Whether the node talks to other Matrix servers.", parse=flag, default=True)
    listen: Address | None = setting(
        "Where the node answers other servers with a certificate of its own, for example on every address with "
        '"0.0.0.0:8448". Empty: only through [http] listen.',
        parse=optional(address),
        default=None,
    )
    tls_certificate: Path | None = setting(
        "The certificate chain (PEM) for [federation] listen.", parse=optional(path), default=None
    )
    tls_private_key: Path | None = setting(
        "The private key (PEM) of that certificate.", parse=optional(path), default=None
    )
    advertised_address: str = setting(
        "Host and port where other servers find this node, published at /.well-known/matrix/server, for example "
        '"matrix.example.org:443". Empty: the host of [http] public_url, unless there is a [federation] listen.',
        parse=values.optional_server_name,
        default="",
    )
    verify_certificates: bool = setting(
        "Whether other servers must show a certificate that the system trusts. Off only in tests.",
        parse=flag,
        default=True,
    )
    certificate_authorities: Path | None = setting(
        "Further certificate authorities (PEM) whose certificates other servers may show, for example the city's own.",
        parse=optional(path),
        default=None,
    )
    allow_private_addresses: bool = setting(
        "Whether other servers may be on private or local addresses. On only in tests and closed networks.",
        parse=flag,
        default=False,
    )
    near: tuple[str, ...] = setting(
        "The city's server and the neighbours': when one of them was away, it is tried again every few minutes, "
        "others after hours.",
        parse=list_of(values.server_name),
        default=(),
    )
    notaries: tuple[str, ...] = setting(
        "Servers that are asked for the keys of a server that does not answer itself.",
        parse=list_of(values.server_name),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSettings:
    """[outgoing]"""

    allowed_networks: tuple[IpNetwork, ...] = setting(
        "Private networks in which push gateways and the city's calendar may be, for example 192.168.1.0/24. "
        "Elsewhere in private networks the node connects to nothing that a resident names.",
        parse=list_of(network),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchingSettings:
    """[watching]"""

    listen: Address | None = setting(
        'Where Prometheus reads figures (/metrics), for example "127.0.0.1:9108"; nobody else should reach it. '
        "Empty: nothing is counted.",
        parse=optional(address),
        default=None,
    )
    json_logs: bool = setting(
        "Whether log lines are JSON objects, for programs that collect them, and not plain sentences.",
        parse=flag,
        default=False,
    )
