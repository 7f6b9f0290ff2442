"""Cross-signing (spec, "Cross-signing"): a user's three public keys, and the signatures that people make with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from server.accounts.cross_signing_store import (
    KeySignature,
    add_signatures,
    cross_signing_keys_of,
    drop_cross_signing,
    drop_signatures_by,
    set_cross_signing_key,
    signatures_on,
)
from server.accounts.device_keys_store import device_keys_of
from server.accounts.device_lists import DeviceLists
from server.accounts.key_formats import (
    is_signed_by,
    public_part,
    require_cross_signing_key,
    require_signatures,
    without_signatures,
)
from server.accounts.sessions_store import devices_of
from server.foundation.errors import BadRequest, InvalidParam, NotFound, Refused
from server.storage.database import Database

Json = dict[str, Any]

MASTER: Final = "master"
SELF_SIGNING: Final = "self_signing"
USER_SIGNING: Final = "user_signing"
USAGES: Final = (MASTER, SELF_SIGNING, USER_SIGNING)

_NOT_SIGNED: Final = "M_INVALID_SIGNATURE"


class CrossSigning:
    """Everybody's cross-signing keys, and the answers to ``keys/query``."""

    def __init__(self, database: Database, device_lists: DeviceLists) -> None:
        self._database = database
        self._device_lists = device_lists

    async def needs_confirmation(self, user_id: str, keys: Mapping[str, Json]) -> bool:
        """Whether these keys would replace others (MSC3967): the first upload and the same again would not."""
        old = (await cross_signing_keys_of(self._database, [user_id])).get(user_id, {})
        if not old:
            return False
        return any(without_signatures(old.get(usage)) != without_signatures(key) for usage, key in keys.items())

    async def upload(self, user_id: str, keys: Mapping[str, Json]) -> None:
        """Publish keys by usage; raises ``Refused`` where one is malformed or not signed by the master key."""
        for usage, key in keys.items():
            require_cross_signing_key(key, user_id, usage)
        old = (await cross_signing_keys_of(self._database, [user_id])).get(user_id, {})
        _require_signed_by_master(user_id, keys, keys.get(MASTER) or old.get(MASTER))
        changed = {usage: key for usage, key in keys.items() if old.get(usage) != key}
        replaced = [_key_id(old[usage]) for usage in changed if usage in old and _differ(old[usage], changed[usage])]
        if not changed:
            return
        async with self._database.write() as tx:
            for usage, key in changed.items():
                await set_cross_signing_key(tx, user_id, usage, key)
            if replaced:
                await drop_signatures_by(tx, user_id, replaced)
            await self._device_lists.enter_now(tx, [user_id])

    async def drop(self, user_id: str) -> None:
        """Forget the keys of a closed account, and the signatures made with them."""
        async with self._database.write() as tx:
            await drop_cross_signing(tx, user_id)
            await self._device_lists.enter_now(tx, [user_id])

    async def add_signatures(self, signer: str, signed: Mapping[str, Any]) -> dict[str, dict[str, Json]]:
        """Keep signatures of ``signer`` on keys, by user and by device id or public key; answers the failures."""
        failures: dict[str, dict[str, Json]] = {}
        good: list[KeySignature] = []
        for user_id, target, value in _each_target(signed):
            try:
                good += await self._checked(signer, user_id, target, value)
            except Refused as refused:
                failures.setdefault(user_id, {})[target] = {"errcode": refused.code, "error": refused.reason}
        if good:
            async with self._database.write() as tx:
                await add_signatures(tx, good)
                await self._device_lists.enter_now(tx, sorted({item.target_user for item in good}))
        return failures

    async def query(self, reader: str, wanted: Mapping[str, Sequence[str]]) -> Json:
        """Devices and cross-signing keys that are kept here, as ``keys/query`` answers; no devices named means all."""
        users = list(wanted)
        devices = await device_keys_of(self._database, users)
        signatures = await signatures_on(self._database, users, reader)
        names = {(item.user_id, item.device_id): item.display_name for item in await devices_of(self._database, users)}
        for user_id, of_user in devices.items():
            for device_id, keys in of_user.items():
                _merge(keys, [item for item in signatures if (item.target_user, item.target) == (user_id, device_id)])
                if (user_id, device_id) in names:
                    name = names[user_id, device_id]
                    keys["unsigned"] = {} if name is None else {"device_display_name": name}
                else:
                    keys.setdefault("unsigned", {})  # of another server, which has told us the name with the keys
        shown = {
            user_id: {
                device_id: keys for device_id, keys in devices.get(user_id, {}).items()
                if not wanted[user_id] or device_id in wanted[user_id]
            }
            for user_id in users
        }
        return {"device_keys": shown, **await self._cross_signing_part(reader, users, signatures)}

    async def _cross_signing_part(self, reader: str, users: Sequence[str], signatures: list[KeySignature]) -> Json:
        parts: dict[str, Json] = {f"{usage}_keys": {} for usage in USAGES}
        for user_id, keys in (await cross_signing_keys_of(self._database, users)).items():
            for usage, key in keys.items():
                if usage == USER_SIGNING and user_id != reader:
                    continue  # Whom somebody has verified is their own business.
                public = public_part(key, usage)[1]
                _merge(key, [item for item in signatures if (item.target_user, item.target) == (user_id, public)])
                parts[f"{usage}_keys"][user_id] = key
        return parts

    async def _checked(self, signer: str, user_id: str, target: str, value: Json) -> list[KeySignature]:
        """The good signatures of ``signer`` in ``value``, which must be the very key that is stored."""
        require_signatures(value, "The key")
        stored = await self._stored(user_id, target)
        if without_signatures(stored) != without_signatures(value):
            raise InvalidParam("This is not the key that is known here")
        with_keys = await self._keys_to_sign_with(signer, user_id)
        found = []
        for key_id, signature in value.get("signatures", {}).get(signer, {}).items():
            public = with_keys.get(key_id)
            if public is None or not is_signed_by(value, signer, key_id, public):
                raise InvalidParam("The signature is not right", code=_NOT_SIGNED)
            found.append(KeySignature(user_id, target, signer, key_id, signature))
        if not found:
            raise InvalidParam("There is no signature of yours", code=_NOT_SIGNED)
        return found

    async def _stored(self, user_id: str, target: str) -> Json:
        """The device or master key called ``target``; raises ``NotFound``."""
        device = (await device_keys_of(self._database, [user_id])).get(user_id, {}).get(target)
        if device is not None:
            return device
        master = (await cross_signing_keys_of(self._database, [user_id])).get(user_id, {}).get(MASTER)
        if master is None or public_part(master, MASTER)[1] != target:
            raise NotFound("There is no such key")
        return master

    async def _keys_to_sign_with(self, signer: str, target_user: str) -> dict[str, str]:
        """Key ids and public keys that may sign: for oneself the devices and the self-signing key, for others the
        user-signing key.
        """
        own = (await cross_signing_keys_of(self._database, [signer])).get(signer, {})
        usage = SELF_SIGNING if signer == target_user else USER_SIGNING
        found = dict([public_part(own[usage], usage)]) if usage in own else {}
        if signer == target_user:
            for keys in (await device_keys_of(self._database, [signer])).get(signer, {}).values():
                found.update({key_id: key for key_id, key in keys["keys"].items() if key_id.startswith("ed25519:")})
        return found


def _require_signed_by_master(user_id: str, keys: Mapping[str, Json], master: Json | None) -> None:
    signed = [usage for usage in (SELF_SIGNING, USER_SIGNING) if usage in keys]
    if not signed:
        return
    if master is None:
        raise InvalidParam("There is no master key to sign this key")
    key_id, public = public_part(master, MASTER)
    for usage in signed:
        if not is_signed_by(keys[usage], user_id, key_id, public):
            raise InvalidParam(f"The {usage} key is not signed by the master key", code=_NOT_SIGNED)


def _each_target(signed: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    for user_id, targets in signed.items():
        if not isinstance(targets, dict) or not all(isinstance(value, dict) for value in targets.values()):
            raise BadRequest("Signatures come by user, and by device or key")
        for target, value in targets.items():
            yield user_id, target, value


def _merge(key: Json, signatures: Sequence[KeySignature]) -> None:
    for item in signatures:
        key.setdefault("signatures", {}).setdefault(item.signer, {})[item.signer_key] = item.signature


def _key_id(key: Json) -> str:
    return public_part(key, "old")[0]


def _differ(old: Json, new: Json) -> bool:
    return bool(without_signatures(old) != without_signatures(new))
