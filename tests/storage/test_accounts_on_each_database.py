"""Accounts on each database: tokens that are renewed, held accounts, devices that sleep, consents."""

from __future__ import annotations

from pathlib import Path

from tests.builders import PASSWORD, SERVER_NAME, RunningNode, settings_for


async def test_accounts_live_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        accounts = node.inside.accounts
        hana = await node.user("hana")
        first = await accounts.log_in(hana.user_id, "PHONE", renewable=True)
        second = await accounts.renew(str(first.refresh_token))
        answer = await node.ask("GET", "v3/account/whoami", token=second.access_token)
        assert (answer.status, answer["device_id"]) == (200, "PHONE")
        assert (await node.ask("GET", "v3/account/whoami", token=first.access_token)).status == 401
        third = await accounts.renew(str(second.refresh_token))
        await accounts.renew(str(third.refresh_token))
        await accounts.hold(hana.user_id, locked=True, suspended=True)
        await accounts.accept_policies(hana.user_id)
        await node.restart()
        accounts = node.inside.accounts
        user = await accounts.users.get(hana.user_id)
        assert (user.is_locked, user.is_suspended) == (True, True)
        await accounts.hold(hana.user_id, locked=False, suspended=False)
        assert (await accounts.device(hana.user_id, "PHONE")).last_seen_ip == "127.0.0.1"
        path = "unstable/org.matrix.msc3814.v1/dehydrated_device"
        keys = {"user_id": hana.user_id, "device_id": "ASLEEP", "algorithms": [], "keys": {}, "signatures": {}}
        body = {"device_id": "ASLEEP", "device_data": {"algorithm": "x"}, "device_keys": keys}
        for _ in range(2):
            assert (await hana.put(path, body)).status == 200
        assert (await hana.get(path))["device_id"] == "ASLEEP"
        await accounts.deactivate(hana.user_id, erase=True)
        await node.restart()
        assert node.inside.accounts.users.erased == {f"@hana:{SERVER_NAME}"}
        body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "hana"}, "password": PASSWORD}
        assert (await node.ask("POST", "v3/login", body)).status == 403
