"""The sections of kairan.toml, one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.config import values
from server.config.backup_section import BackupSettings
from server.config.public_feed_section import PublicFeedSettings
from server.foundation.settings import (
    Address,
    IpNetwork,
    address,
    flag,
    list_of,
    network,
    one_of,
    optional,
    path,
    required,
    section,
    setting,
    text,
    whole,
)

_MIB: Final = 1024 * 1024
_ANY_SIZE: Final = 1 << 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSettings:
    """[association]"""

    name: str = setting("What the association is called.", parse=values.association_name, default="町内会")
    municipality_code: str = setting(
        "The municipality's five or six digits (全国地方公共団体コード): weather warnings and city notices go by it.",
        parse=values.municipality_code,
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """[node]"""

    role: str = setting(
        "What this node serves: one association, a federation of associations (連合会), or a city. The last two may "
        "invite others and send broadcasts to them.",
        parse=one_of("association", "federation", "city"),
        default="association",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """[database]"""

    url: str = setting(
        "The database; empty for the file kairan.db in data_dir. PostgreSQL: postgresql+asyncpg://user:password@host/name.",
        parse=values.database_url,
        default="",
        secret=True,
    )


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
class RegistrationSettings:
    """[registration]"""

    mode: str = setting(
        "Who may make an account: whoever has an invitation (token), nobody (closed), anybody (open).",
        parse=one_of("token", "closed", "open"),
        default="token",
    )
    shared_secret: str = setting(
        "Tools that know this secret may make accounts. Empty: none may.", parse=text, default="", secret=True
    )
    allow_guests: bool = setting("Whether Matrix guests may look in without an account.", parse=flag, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """[sessions]"""

    access_token_minutes: int = setting(
        "How long an access token is good where the client can renew it (most new ones can).",
        parse=whole(1, 525_600),
        default=60,
    )
    refresh_token_days: int = setting(
        "A client that does not come back for so many days has to log in again; its keys stay. 0: never.",
        parse=whole(0, 36_500),
        default=0,
    )
    lasting_token_days: int = setting(
        "How many days an access token is good where the client cannot renew it. 0: until somebody logs out.",
        parse=whole(0, 36_500),
        default=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSettings:
    """[consent]"""

    folder: Path | None = setting(
        "A folder with the texts that people agree to when they make an account, one file for each text, version and "
        "language, called like privacy.2026-04.ja.txt; the first line is the title. Empty: nobody is asked.",
        parse=optional(path),
        default=None,
    )
    demanded: bool = setting(
        "Whether people may only read, not write, until they have agreed to the newest version of each text.",
        parse=flag,
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """[rooms]"""

    default_version: str = setting(
        "The Matrix room version of new rooms.", parse=one_of("10", "11", "12"), default="12"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """[limits]"""

    enabled: bool = setting(
        "Whether callers are held back when they ask too often. Sizes and quotas hold in any case.",
        parse=flag,
        default=True,
    )
    requests_per_second: int = setting(
        "Requests of one caller per second, on average.", parse=whole(1, 100_000), default=50
    )
    request_burst: int = setting("Requests of one caller at once.", parse=whole(1, 100_000), default=200)
    messages_per_second: int = setting(
        "Messages of one person per second, on average.", parse=whole(1, 100_000), default=5
    )
    message_burst: int = setting("Messages of one person at once.", parse=whole(1, 100_000), default=50)
    login_attempts_per_minute: int = setting(
        "Wrong passwords in a minute for one account from one address; wider limits follow from it.",
        parse=whole(1, 100_000),
        default=10,
    )
    registrations_per_minute: int = setting(
        "New accounts per address in a minute; a whole hall joins through one address.",
        parse=whole(1, 100_000),
        default=60,
    )
    upload_bytes: int = setting("The largest file, in bytes.", parse=whole(1, _ANY_SIZE), default=50 * _MIB)
    media_bytes_per_user: int = setting(
        "All files of one person together, in bytes.", parse=whole(1, _ANY_SIZE), default=2048 * _MIB
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    """[passwords]"""

    cost: int = setting(
        "How much work a password check is (scrypt, log2 N). One more doubles time and memory; low ones only in tests.",
        parse=whole(4, 20),
        default=14,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSettings:
    """[presence]"""

    enabled: bool = setting("Whether people who share a room see who is there.", parse=flag, default=True)
    largest_room: int = setting(
        "Presence goes through rooms of so many members at most. In a room of the whole association everybody would "
        "hear of everybody all day long.",
        parse=whole(2, 10_000),
        default=100,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """[directory]"""

    public: bool = setting(
        "Whether people without an account may see the list of public rooms.", parse=flag, default=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """[media]"""

    allow_unauthenticated_downloads: bool = setting(
        "Whether whoever knows the address of a file may have it without an account, at the addresses of before Matrix "
        "1.11. Only for old tools that send no token.",
        parse=flag,
        default=False,
    )
    remote_cache_bytes: int = setting(
        "Copies of other servers' files, all together, in bytes; those that were not looked at for longest go first.",
        parse=whole(_MIB, _ANY_SIZE),
        default=1024 * _MIB,
    )
    remote_cache_days: int = setting(
        "For how many days a copy of another server's file is kept after somebody has last looked at it.",
        parse=whole(1, 36_500),
        default=30,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """[previews]"""

    enabled: bool = setting(
        "Whether the node looks at web pages that people mention and shows their title and picture.",
        parse=flag,
        default=True,
    )
    ports: tuple[int, ...] = setting(
        "Ports on which web pages are looked at.", parse=list_of(whole(1, 65535)), default=(80, 443)
    )
    blocked_hosts: tuple[str, ...] = setting(
        'Hosts that are never asked, with all names below them, for example "example.org".',
        parse=list_of(text),
        default=(),
    )
    keep_days: int = setting("For how many days pictures of previews are kept.", parse=whole(1, 3650), default=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationSettings:
    """[translation]"""

    url: str = setting(
        'A translation service that speaks like LibreTranslate, for example "http://127.0.0.1:5000": circulars can '
        "then be read in other languages, marked as machine translation. Nothing that people write to each other is "
        "ever sent there. A service in one's own network must be allowed in [outgoing]. Empty: none.",
        parse=text,
        default="",
    )
    key_file: Path | None = setting(
        "A file with the key for that service, where it wants one.", parse=optional(path), default=None
    )
    letters_a_day: int = setting(
        "How many letters are sent there a day at most; what was translated once is kept.",
        parse=whole(1, 1_000_000_000),
        default=300_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """[turn]"""

    uris: tuple[str, ...] = setting(
        'The relay for calls, for example "turn:turn.example.org?transport=udp". None: calls go the direct way only.',
        parse=list_of(values.turn_uri),
        default=(),
    )
    shared_secret: str = setting(
        "The secret that the relay (coturn: static-auth-secret) shares with this node.",
        parse=text,
        default="",
        secret=True,
    )
    lifetime_s: int = setting(
        "For how many seconds a person may use the relay before their client asks again.",
        parse=whole(60, 30 * 86_400),
        default=86_400,
    )
    allow_guests: bool = setting("Whether guests may use the relay.", parse=flag, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtcSettings:
    """[rtc]"""

    livekit_service_url: str = setting(
        "The address of the token service of a LiveKit server, for calls of many (Element Call). Empty: there is none.",
        parse=values.public_url,
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportSettings:
    """[support]"""

    admin_matrix_id: str = setting(
        "A Matrix address of whoever looks after this node; anybody can read it.",
        parse=values.optional_user_id,
        default="",
    )
    admin_email: str = setting(
        "A mail address of whoever looks after this node; anybody can read it.",
        parse=values.mail_address,
        default="",
    )
    security_email: str = setting(
        "A mail address for reports of security faults; anybody can read it.", parse=values.mail_address, default=""
    )
    page: str = setting("A page with help for the people of this node.", parse=values.public_url, default="")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole kairan.toml."""

    server_name: str = required(
        "The name after the colon in every address of this node. It can never be changed.", parse=values.server_name
    )
    data_dir: Path = setting("The folder of the database, the signing key and the files.", parse=path, default=Path())
    application_service_files: tuple[Path, ...] = setting(
        "Registration files (YAML or JSON) of Matrix application services.", parse=list_of(path), default=()
    )
    association: AssociationSettings = section("The association.", AssociationSettings)
    node: NodeSettings = section("What the node is for.", NodeSettings)
    database: DatabaseSettings = section("The database.", DatabaseSettings)
    http: HttpSettings = section("The door for residents.", HttpSettings)
    federation: FederationSettings = section("Other Matrix servers: the city, the neighbours.", FederationSettings)
    outgoing: OutgoingSettings = section("Where the node may connect to.", OutgoingSettings)
    registration: RegistrationSettings = section("Who gets an account.", RegistrationSettings)
    sessions: SessionSettings = section("How long people stay logged in.", SessionSettings)
    consent: ConsentSettings = section("What people agree to.", ConsentSettings)
    rooms: RoomSettings = section("Rooms.", RoomSettings)
    limits: LimitSettings = section("How much one caller may ask for.", LimitSettings)
    passwords: PasswordSettings = section("Passwords.", PasswordSettings)
    presence: PresenceSettings = section("Who is there.", PresenceSettings)
    directory: DirectorySettings = section("The list of public rooms.", DirectorySettings)
    media: MediaSettings = section("Files.", MediaSettings)
    previews: PreviewSettings = section("Previews of web pages.", PreviewSettings)
    translation: TranslationSettings = section("Circulars in other languages.", TranslationSettings)
    turn: TurnSettings = section("A relay for calls of two (TURN).", TurnSettings)
    rtc: RtcSettings = section("Calls of many (MatrixRTC).", RtcSettings)
    watching: WatchingSettings = section("Watching the node.", WatchingSettings)
    backup: BackupSettings = section("Backups.", BackupSettings)
    public_feed: PublicFeedSettings = section("What a city shows to everybody.", PublicFeedSettings)
    support: SupportSettings = section("Whom to turn to; published at /.well-known/matrix/support.", SupportSettings)

    @property
    def signing_key_file(self) -> Path:
        """The node's ed25519 key, readable by its owner only."""
        return self.data_dir / "signing.key"

    @property
    def media_dir(self) -> Path:
        """Uploaded files and thumbnails."""
        return self.data_dir / "media"
