"""Returned slips on the pages: photo, tap, next."""

from __future__ import annotations

from server.association.members.model import EVERYONE
from server.association.polls import slips_store as store
from server.association.polls.model import Counting, Question
from tests.association.polls.test_slips import photo_of
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.real_browser import PHONE, chromium, window
from tests.web.site import CHAIR, PASSWORD, Site

QUESTION = Question(
    text="手伝いが できますか", choices=("はい", "いいえ"), audience=EVERYONE, counting=Counting.HOUSEHOLD)


async def printed(here: Site, chair: Browser) -> tuple[str, dict[str, str]]:
    """A poll with its slips: the poll's id, and by household name the code."""
    poll = await here.node.association.polls.start(here.user(CHAIR), QUESTION)
    await chair.get(f"/desk/polls/{poll.id}")
    page = await chair.submit(f"/desk/polls/{poll.id}/slips")
    assert page.headers["Content-Type"] == "application/pdf"
    slips = await store.slips_of(here.node.core.database, poll.id)
    return poll.id, {here.node.association.members.household(slip.household_id).name: slip.id for slip in slips}


async def test_a_photo_and_a_tap_write_an_answer_down(here: Site, chair: Browser) -> None:
    await here.add("紙の 家", "2班", account=False)
    poll, codes = await printed(here, chair)
    code = codes["紙の 家"]
    await chair.get("/desk/scan")
    page = await chair.submit(
        "/desk/scan", {}, files=[("photo", "slip.jpg", "image/jpeg", photo_of(f"{here.url}/slips/{code}"))])
    assert page.url == f"/slips/{code}"
    assert "2班 紙の 家" in page.text
    page = await chair.submit(f"/slips/{code}", {"choice": "c1"})
    assert page.url.startswith("/desk/scan")
    assert "書きました" in page.text
    assert "もう こたえています： はい" in (await chair.get(f"/slips/{code}")).text
    assert "1 / 6世帯" in (await chair.get(f"/desk/polls/{poll}")).text


async def test_several_slips_on_one_photo_become_a_list(here: Site, chair: Browser) -> None:
    for number in range(3):
        await here.add(f"紙の 家{number}", "2班", account=False)
    _, codes = await printed(here, chair)
    chosen = [codes[f"紙の 家{number}"] for number in range(3)]
    await chair.get("/desk/scan")
    photo = photo_of(*(f"{here.url}/slips/{code}" for code in chosen))
    page = await chair.submit("/desk/scan", {}, files=[("photo", "table.jpg", "image/jpeg", photo)])
    assert [f"/slips/{code}" in page.links for code in chosen] == [True] * 3


async def test_a_bad_photo_says_what_to_do(chair: Browser) -> None:
    for data in (photo_of(), b"no picture"):
        await chair.get("/desk/scan")
        page = await chair.submit("/desk/scan", {}, files=[("photo", "x.jpg", "image/jpeg", data)])
        assert page.status == 400
        assert "写" in page.text
        assert "用紙の 写真" in page.text


async def test_a_resident_who_reads_the_code_comes_to_the_poll(here: Site, chair: Browser, log_in: LogIn) -> None:
    await here.add("紙の 家", "2班", account=False)
    poll, codes = await printed(here, chair)
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/slips/{codes['紙の 家']}")
    assert page.url == f"/polls/{poll}"
    assert (await hanako.get("/slips/unknowncode1")).status == 404
    assert (await hanako.get("/desk/scan")).status == 403
    page = await hanako.post(f"/slips/{codes['紙の 家']}", {"choice": "c1"})
    assert page.status == 403


async def test_a_slip_of_a_poll_that_is_over_is_told_so(here: Site, chair: Browser) -> None:
    await here.add("紙の 家", "2班", account=False)
    poll, codes = await printed(here, chair)
    address = f"/slips/{codes['紙の 家']}"
    await chair.get(address)
    await here.node.association.polls.close(here.user(CHAIR), poll)
    page = await chair.submit(address, {"choice": "c1"})
    assert page.status == 400
    assert "おわりました" in page.text


_CAMERA = """(code) => {
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"]; }
    async detect() { return [{ rawValue: "https://elsewhere.example/" }, { rawValue: code }]; }
  };
  const stream = document.createElement("canvas").captureStream(1);
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia: async () => stream }, configurable: true });
}"""


async def test_a_browser_that_reads_codes_itself_follows_nothing_else(here: Site, chair: Browser) -> None:
    await here.add("紙の 家", "2班", account=False)
    _, codes = await printed(here, chair)
    user = await here.set_password(CHAIR)
    async with chromium() as browser, window(browser, here.url, PHONE) as page:
        await page.goto("/login")
        await page.fill("[name=user]", user)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button.button")
        code = f"https://sakura.example/slips/{codes['紙の 家']}"
        await page.add_init_script(f"({_CAMERA})({code!r})")
        await page.goto("/desk/scan")
        await page.click("#start-camera")
        await page.wait_for_url(f"**/slips/{codes['紙の 家']}")
        assert await page.is_visible("text=紙の 家")
