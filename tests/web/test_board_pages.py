"""The board on the pages: writing with photos, answering, giving away, reporting, deciding; beside a Matrix client."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nio
from PIL import Image

from server.association.members.model import Purpose
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.pictures import PLACE, photo
from tests.web.site import PASSWORD, Site

POST = {"category": "lost", "title": "ねこを さがしています", "text": "白い猫です。", "place": "中央公園"}


async def write(browser: Browser, files: list[tuple[str, str, str, bytes]] | None = None, **more: str) -> PageRead:
    await browser.get("/board/new")
    return await browser.submit("/board/new", {**POST, **more}, files=files or [])


def _is_photo(path: Path) -> bool:
    return path.is_file() and path.read_bytes()[:2] == b"\xff\xd8" and "thumbnail" not in str(path)


async def test_a_post_with_photos_is_written_read_and_answered(here: Site, log_in: LogIn) -> None:
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    files = [("photos", f"{number}.jpg", "image/jpeg", photo()) for number in range(2)]
    page = await write(hanako, files)
    assert "おくりました" in page.text, page.text
    address = page.url.partition("?")[0]
    assert ">1<" in (await ichiro.get("/daily")).html
    page = await ichiro.get("/board")
    assert "ねこを さがしています" in page.text
    assert "写真 2枚" in page.text
    assert ">1<" not in (await ichiro.get("/daily")).html
    page = await ichiro.get(address)
    assert "佐藤 花子" in page.text
    assert "中央公園" in page.text
    picture = await ichiro.get(f"{address}/photos/1")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Cache-Control"] == "private, no-cache"
    for wrong in ("2", "x", "-1", "999"):
        assert (await ichiro.get(f"{address}/photos/{wrong}")).status == 404
    await ichiro.get(address)
    page = await ichiro.submit(f"{address}/comment", {"text": "公園で 見ました"})
    assert "公園で 見ました" in page.text
    assert address.removeprefix("/") in str((await hanako.get("/board?q=公園で")).links)
    assert "まだ ありません" in (await hanako.get("/board?q=いぬ")).text
    assert "ねこ" not in (await hanako.get("/board?category=give")).text
    await ichiro.get(address)
    assert (await ichiro.submit(f"{address}/comment", {"text": " "})).status == 400
    await hanako.get(address)
    page = await hanako.submit(f"{address}/withdraw")
    assert "けしました" in page.text
    assert (await ichiro.get(address)).status == 404
    assert (await ichiro.get(f"{address}/photos/0")).status == 404


async def test_what_a_camera_writes_beside_the_picture_is_not_kept(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    data = photo(turned=True)
    assert PLACE in data
    page = await write(hanako, [("photos", "a.jpg", "image/jpeg", data)])
    assert "a.jpg" not in page.html
    (clean,) = [path.read_bytes() for path in here.node.settings.data_dir.rglob("*") if _is_photo(path)]
    assert PLACE not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert (image.size, image.getexif().get(0x0112)) == ((400, 300), 6)
    shown = await hanako.http.get(f"{here.url}{page.url.partition('?')[0]}/photos/0")
    with Image.open(io.BytesIO(await shown.read())) as image:
        assert image.size == (300, 400)


async def test_a_form_that_was_refused_keeps_its_words_and_photos(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    page = await write(hanako, [("photos", "a.jpg", "image/jpeg", photo())], title="")
    assert page.status == 400
    fields = dict(page.form("/board/new").fields)
    assert fields["text"] == "白い猫です。"
    page = await hanako.submit("/board/new", {"title": "ねこ"}, files=[])
    assert "写真 1" in page.html
    page = await write(hanako, [("photos", "a.html", "text/html", b"<b>")])
    assert page.status == 400
    stolen = fields["file"]
    ichiro = await log_in("鈴木 一郎")
    assert (await write(ichiro, None, file=stolen)).status == 403
    assert (await write(ichiro, None, category="x")).status == 400


async def test_a_thing_is_given_away_on_the_pages(here: Site, log_in: LogIn) -> None:
    hanako, ichiro, misaki = [await log_in(name) for name in ("佐藤 花子", "鈴木 一郎", "高橋 美咲")]
    page = await write(hanako, category="give", title="ベビーカー")
    address = page.url.partition("?")[0]
    for browser, note in ((ichiro, "きょう 行けます"), (misaki, "")):
        await browser.get(address)
        page = await browser.submit(f"{address}/ask", {"note": note})
        assert "申しこみました" in page.text
    assert "鈴木 一郎" not in page.text
    page = await hanako.get(address)
    assert "きょう 行けます" in page.text
    page = await hanako.submit(f"{address}/give", {"step": "promise", "to": here.user("鈴木 一郎")})
    assert "決まりました" in page.text
    assert "あなたに 決まりました" in (await ichiro.get(address)).text
    await misaki.get(address)
    page = await misaki.submit(f"{address}/ask", {"back": "1"})
    assert "ほしいです" not in page.text
    await ichiro.get(address)
    proof = [("form_proof", dict(ichiro.page.form(f"{address}/ask").fields)["form_proof"])] if ichiro.page else []
    assert (await ichiro.post(f"{address}/give", [*proof, ("step", "done")])).status == 403
    await hanako.get(address)
    assert (await hanako.submit(f"{address}/give", {"step": "x"})).status == 400
    await hanako.get(address)
    page = await hanako.submit(f"{address}/give", {"step": "done"})
    assert "ゆずりました" in page.text
    assert "ベビーカー" not in (await misaki.get("/board")).text
    assert "ベビーカー" in (await hanako.get("/board/mine")).text


async def test_reports_and_posts_without_a_name_are_decided_at_the_desk(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    assert "anonymous" not in (await hanako.get("/board/new")).html
    await chair.get("/desk/board/rules")
    page = await chair.submit("/desk/board/rules", {"anonymous": "1", "approve": "1", "officers_only": ["news"]})
    assert "保存しました" in page.text
    assert 'value="news"' not in (await hanako.get("/board/new")).html
    page = await write(hanako, [("photos", "hanako.jpg", "image/jpeg", photo())], category="question", anonymous="1")
    assert page.url.startswith("/board/mine")
    assert "確認してから" in page.text
    page = await chair.get("/desk/board")
    assert "名前を 出さない人" in page.text
    assert "佐藤 花子" not in page.text
    action = next(form.action for form in page.read.forms if ("step", "approve") in form.buttons)
    assert (await chair.get(f"{action}/0")).headers["Content-Type"] == "image/jpeg"
    assert (await hanako.get(f"{action}/0")).status == 403
    await chair.get("/desk/board")
    await chair.submit(action, {"step": "approve"})
    address = f"/board/{action.rpartition('/')[2]}"
    page = await ichiro.get(address)
    assert "佐藤 花子" not in page.html
    assert here.user("佐藤 花子") not in page.html
    await hanako.get(address)
    page = await hanako.submit(f"{address}/comment", {"text": "夜の10時です"})
    assert "質問した人" in page.text
    await ichiro.get(address)
    page = await ichiro.submit(f"{address}/report", {"reason": "うそです", "comment": []})
    assert "知らせました" in page.text
    page = await chair.get("/desk/board")
    assert "うそです" in page.text
    page = await chair.submit(f"/desk/board/authors/{address.rpartition('/')[2]}")
    assert "佐藤 花子" in page.text
    assert "掲示板で、名前を出さずに質問した人" in (await ichiro.get("/my/looks")).text
    await chair.get("/desk/board")
    post = f"/desk/board/posts/{address.rpartition('/')[2]}"
    page = await chair.submit(post, {"step": "remove", "reason": "きまりに 合いません"})
    assert "保存しました" in page.text
    assert (await hanako.get(address)).status == 404
    assert "きまりに 合いません" in (await chair.get("/desk/board/decisions")).text
    for path in ("/desk/board", "/desk/board/rules", "/desk/board/decisions"):
        assert (await hanako.get(path)).status == 403


async def test_a_matrix_client_sees_the_post_and_replies(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    user = await here.set_password("鈴木 一郎")
    client = nio.AsyncClient(here.url, f"@{user}:sakura.example")
    heard: list[Any] = []
    client.add_event_callback(lambda _room, event: heard.append(event), (nio.RoomMessageText, nio.RoomMessageImage))
    try:
        assert isinstance(await client.login(PASSWORD), nio.LoginResponse)
        await client.sync(timeout=0)
        page = await write(hanako, [("photos", "ねこ.jpg", "image/jpeg", photo())])
        address = page.url.partition("?")[0]
        await client.sync(timeout=0)
        text, image = heard[-2:]
        assert text.body == "【さがしもの】ねこを さがしています\n白い猫です。\n場所：中央公園"
        assert text.sender == here.user("佐藤 花子")
        downloaded = await client.download(image.url)
        assert isinstance(downloaded, nio.DownloadResponse)
        assert PLACE not in downloaded.body
        assert downloaded.filename == "写真.jpeg"
        room = here.node.association.members.hall_room(Purpose.BOARD)
        relates = {"m.in_reply_to": {"event_id": text.event_id}}
        for body, related in (("駅で 見ました", relates), ("木が たおれています\n通れません", None)):
            content = {"msgtype": "m.text", "body": body, **({"m.relates_to": related} if related else {})}
            assert isinstance(await client.room_send(room, "m.room.message", content), nio.RoomSendResponse)
    finally:
        await client.close()
    assert "駅で 見ました" in (await hanako.get(address)).text
    page = await hanako.get("/board")
    assert "木が たおれています" in page.text
    assert "鈴木 一郎" in page.text


async def test_a_strangers_account_reads_nothing(here: Site, stranger: Browser, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await write(hanako)
    await here.node.accounts.create_user("outsider", PASSWORD, "よその人")
    await stranger.log_in("outsider", PASSWORD)
    for path in ("/board", "/board/new", "/board/mine", "/groups", "/gallery", "/gallery/new"):
        page = await stranger.get(path)
        assert page.status == 403, path
        assert "ねこ" not in page.text
