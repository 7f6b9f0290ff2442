"""All sections of kairan.toml, one frozen dataclass each; those of one idea have a file of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.config import values
from server.config.backup_section import BackupSettings
from server.config.call_sections import RtcSettings, TurnSettings
from server.config.file_sections import MediaSettings, PreviewSettings, TranslationSettings
from server.config.network_sections import FederationSettings, HttpSettings, OutgoingSettings, WatchingSettings
from server.config.people_sections import (
    ConsentSettings,
    DirectorySettings,
    LimitSettings,
    PasswordSettings,
    PresenceSettings,
    RegistrationSettings,
    SessionSettings,
)
from server.config.public_feed_section import PublicFeedSettings
from server.foundation.settings import list_of, one_of, path, required, section, setting


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

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.url.removeprefix(values.SQLITE)) if self.url.startswith(values.SQLITE) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """[rooms]"""

    default_version: str = setting(
        "The Matrix room version of new rooms.", parse=one_of("10", "11", "12"), default="12"
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
