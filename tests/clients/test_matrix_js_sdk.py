"""What matrix-js-sdk (Element Web is built on it) makes of this node. The flows are in tests/clients/js/flows."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests.builders import RunningNode, settings_for
from tests.clients.js_sdk import run_flow

pytestmark = pytest.mark.slow


async def test_two_people_talk_see_typing_and_part(node: RunningNode) -> None:
    await run_flow(node, "messages/conversation", "hanako", "taro")


async def test_a_new_device_scrolls_back_and_opens_links(node: RunningNode) -> None:
    await run_flow(node, "messages/past", "hanako")


async def test_edits_reactions_and_redactions_show(node: RunningNode) -> None:
    await run_flow(node, "messages/changes", "hanako", "taro")


async def test_threads_are_read_apart(node: RunningNode) -> None:
    await run_flow(node, "messages/threads", "hanako", "taro")


async def test_a_poll_is_voted_on_and_ended(node: RunningNode) -> None:
    await run_flow(node, "messages/polls", "hanako", "taro")


async def test_unread_counts_follow_receipts_on_all_devices(node: RunningNode) -> None:
    await run_flow(node, "messages/reading", "hanako", "taro")


async def test_a_space_opens_its_rooms_to_its_members(node: RunningNode) -> None:
    await run_flow(node, "rooms/spaces", "hanako", "taro")


async def test_a_room_is_upgraded_to_version_12_and_followed(node: RunningNode) -> None:
    await run_flow(node, "rooms/upgrade", "hanako", "taro")


async def test_rooms_are_found_entered_knocked_at_and_searched(node: RunningNode) -> None:
    await run_flow(node, "rooms/directory", "hanako", "taro")


async def test_files_and_portraits_go_to_those_who_are_logged_in(node: RunningNode) -> None:
    await run_flow(node, "rooms/files", "hanako", "taro")


async def test_one_logs_in_and_out_and_keeps_ones_devices_in_order(node: RunningNode) -> None:
    await run_flow(node, "accounts/comingIn", "hanako")


async def test_a_token_is_renewed(node: RunningNode) -> None:
    await run_flow(node, "accounts/renewal", "hanako")


async def test_an_account_is_made_in_the_client(node: RunningNode) -> None:
    await run_flow(node, "accounts/registering", "hanako")


async def test_names_presence_and_the_directory_of_people(node: RunningNode) -> None:
    await run_flow(node, "accounts/profile", "hanako", "taro")


async def test_settings_are_the_same_on_all_devices(node: RunningNode) -> None:
    await run_flow(node, "accounts/settings", "hanako", "taro")


async def test_a_muted_room_is_silent_and_a_word_is_loud(node: RunningNode) -> None:
    await run_flow(node, "accounts/notifications", "hanako", "taro")


async def test_sliding_sync_carries_lists_rooms_and_invitations(node: RunningNode) -> None:
    await run_flow(node, "sliding/lists", "hanako", "taro")


async def test_sliding_sync_carries_encryption(node: RunningNode) -> None:
    await run_flow(node, "sliding/encrypted", "hanako", "taro")


async def test_both_kinds_of_sync_go_on_after_a_restart(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path), port=unused_port()) as node:
        await run_flow(node, "sliding/restart", "hanako", "taro", deeds={"restart": node.restart})


async def test_devices_of_two_people_talk_encrypted(node: RunningNode) -> None:
    await run_flow(node, "encryption/chat", "hanako", "taro", "jiro")


async def test_cross_signing_begins_without_a_question_and_changes_with_one(node: RunningNode) -> None:
    await run_flow(node, "encryption/crossSigning", "hanako", "taro")


async def test_two_people_compare_emoji_and_trust_each_other(node: RunningNode) -> None:
    await run_flow(node, "encryption/verification", "hanako", "taro")


async def test_a_third_device_restores_the_key_backup(node: RunningNode) -> None:
    await run_flow(node, "encryption/backup", "hanako", "taro")


async def test_new_devices_are_noticed_and_written_to(node: RunningNode) -> None:
    await run_flow(node, "encryption/deviceLists", "hanako", "taro")


async def test_a_dehydrated_device_receives_while_nobody_is_there(node: RunningNode) -> None:
    await run_flow(node, "encryption/dehydration", "hanako", "taro")
