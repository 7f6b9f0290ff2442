"""A folder of a bucket, in storage that speaks the S3 protocol (minio's client). Loaded where backups go to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError
from urllib3.util import Retry, Timeout

from server.foundation.errors import Refused
from server.operation.far_places import FarAddress, Means, Unreached

_CONNECT_S: Final = 15
_READ_S: Final = 300
_AGAIN: Final = 3
_PIECE: Final = 16 * 2**20  # three of them in memory at a time
_REGION: Final = "us-east-1"
_WORDS: Final = {
    "NoSuchBucket": "There is no such bucket: {0}. Make it there.",
    "NoSuchKey": "At {0} there is no such file.",
    "AccessDenied": "At {0} our key may not do that; it needs to list, read, write and delete below this folder.",
    "InvalidAccessKeyId": "{0} does not know our key: look at the part before the @, and [backup] secrets_file.",
    "SignatureDoesNotMatch": "{0} refuses our key: look at the secret in [backup] secrets_file, and at s3_region.",
    "AuthorizationHeaderMalformed": "{0} is of another region: set [backup] s3_region.",
    "PermanentRedirect": "{0} is of another region: set [backup] s3_region.",
    "RequestTimeTooSkewed": "{0} says that this machine's clock is wrong: sudo timedatectl set-ntp true",
    "QuotaExceeded": "There is no room left at {0}.",
    "XMinioStorageFull": "There is no room left at {0}.",
}


class S3Place:
    """An open folder; its name is the beginning of the names of what is in it."""

    def __init__(self, client: Minio, address: FarAddress) -> None:
        self._client = client
        self._address = address
        self._bucket, _, folder = address.folder.partition("/")
        self._prefix = f"{folder}/" if folder else ""

    def sizes(self) -> Mapping[str, int]:
        with _plain_words(self._address):
            found = list(self._client.list_objects(self._bucket, self._prefix))
        return {
            (item.object_name or "").removeprefix(self._prefix): item.size or 0 for item in found if not item.is_dir
        }

    def put(self, file: Path) -> None:
        with _plain_words(self._address):
            self._client.fput_object(self._bucket, self._prefix + file.name, str(file), part_size=_PIECE)

    def fetch(self, name: str, target: Path) -> None:
        with _plain_words(self._address):
            self._client.fget_object(self._bucket, self._prefix + name, str(target))

    def remove(self, name: str) -> None:
        with _plain_words(self._address):
            self._client.remove_object(self._bucket, self._prefix + name)


@contextmanager
def opened(address: FarAddress, means: Means) -> Iterator[S3Place]:
    """What is needed to ask; the first question shows whether somebody answers."""
    secret = means.secret(address)
    if secret is None:
        raise Refused(f"Nothing says how to come in at {address}: [backup] secrets_file has no line for it.")
    # Its own retries would take minutes to tell that nobody is there. Certificates: those that this machine trusts.
    http = urllib3.PoolManager(
        timeout=Timeout(connect=_CONNECT_S, read=_READ_S),
        retries=Retry(total=_AGAIN, connect=1, backoff_factor=0.5, status_forcelist=[500, 502, 503, 504]),
    )
    endpoint = f"{address.host}:{address.port}" if address.port else address.host
    is_secure = address.kind == "s3"
    with _plain_words(address):
        client = Minio(
            endpoint, access_key=address.user, secret_key=secret, secure=is_secure, region=means.region or _REGION,
            http_client=http,
        )
    try:
        yield S3Place(client, address)
    finally:
        http.clear()


@contextmanager
def _plain_words(address: FarAddress) -> Iterator[None]:
    """What went wrong, so that it helps; secrets are never part of it."""
    try:
        yield
    except S3Error as fault:
        words = _WORDS.get(fault.code or "", "{0} refused: " + (fault.code or "no reason told") + ".")
        raise Refused(words.format(address)) from None
    except MaxRetryError as fault:
        if isinstance(fault.reason, SSLError):
            raise Refused(f"The certificate of {address} is refused: {fault.reason}.") from None
        raise Unreached(f"{address} cannot be reached: {type(fault.reason).__name__}.") from None
    except (InvalidResponseError, ServerError) as fault:
        raise Unreached(f"{address} answers, but not as S3 does: {type(fault).__name__}.") from None
    except (HTTPError, OSError) as fault:
        raise Unreached(f"The connection to {address} broke: {type(fault).__name__}.") from None
    except (MinioException, ValueError) as fault:
        raise Refused(f"{address} cannot be used: {fault}") from None
