"""The page in a real browser, used as a person uses it, on the real server and real clips."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.chromium import launched
from tests.cli.test_app import served
from tests.image_files import noise, save_image
from tests.ports import free_port
from tests.waiting import until
from tests.web.browsers import Reviewer, drop, expect, opened_tab
from tests.web.crossing_clip import FRAMES, KEPT, SIZE, write_crossing, write_crossing_tracks
from tests.web.held_jobs import held_jobs
from tracker_blur.core.zones import Zone
from tracker_blur.web.state import path_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import numpy.typing as npt
    from playwright import sync_api

    from tests.web.pages import Page

pytestmark = pytest.mark.slow

PEOPLE = 4
WALL = (20.0, 20.0, 70.0, 90.0)  # a part of the picture without a face
SIGN = (300.0, 270.0, 380.0, 330.0)  # another
HIDDEN, SHOWN = 40, 15  # gray values: the least of a solid color, the most of coding
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crossing(tmp_path_factory.mktemp("clip") / "crossing.mp4")


@pytest.fixture
def reviewed(page: Page, clip: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of the review of a video with tracks, which each test has for itself.

    A test may name a track that is lost halfway.
    """
    name = f"{request.function.__name__}.mp4"
    video = page.folder / name
    video.write_bytes(clip.read_bytes())
    write_crossing_tracks(video, lost=getattr(request, "param", None))
    answer = page.post("/api/reviews", json={"path": name})
    assert answer.status_code == 200, answer.text
    return page.site.url().replace("/?", f"/review/{answer.json()['id']}?")


def frames_of(path: Path) -> list[npt.NDArray[np.float64]]:
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray(format="gray").astype(np.float64)
            for frame in container.decode(video=0)
        ]


def difference(
    one: npt.NDArray[np.float64],
    other: npt.NDArray[np.float64],
    box: tuple[float, float, float, float],
) -> float:
    """Return how much two frames differ in a box, in gray values on average."""
    left, top, right, bottom = (round(edge) for edge in box)
    part = np.s_[top:bottom, left:right]
    return float(np.abs(one[part] - other[part]).mean())


def test_from_dropping_a_video_to_a_reviewed_file(
    browser: sync_api.Browser, page: Page, clip: Path, tmp_path: Path
) -> None:
    """One person is kept, one box drawn by hand, one area always hidden."""
    with opened_tab(browser, page.site.url()) as tab, held_jobs("track", tmp_path) as let_go:
        drop(tab, clip, "phone.mp4")
        expect(tab.get_by_label("Choose phone.mp4")).to_be_checked()
        tab.get_by_text("Solid color").click()
        tab.get_by_role("button", name="Find people, then decide").click()
        expect(tab.locator(".job")).to_be_visible()
        review = path_id((page.folder / "phone.mp4").resolve())
        early_url = page.site.url().replace("/?", f"/review/{review}?")
        with opened_tab(browser, early_url, refused=409) as early:
            expect(early.locator("#stage-wait")).to_contain_text("Looking for people")
            let_go()
            Reviewer(early, SIZE).wait()  # it continues by itself
        tab.wait_for_url("**/review/*")

        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        kept = tab.locator(".card").first
        faces = page.get(f"/api/reviews/{review}").json()["people"]
        kept_person = next(p for p in faces if str(p["id"]) == kept.get_attribute("data-person"))
        kept.get_by_role("switch").click()
        expect(kept.get_by_role("switch")).to_have_text("Visible")

        reviewer.press("d")
        expect(tab.locator("#stage-hint")).to_contain_text("Drag a box")
        before = reviewer.cards().count()
        reviewer.drag(WALL)
        expect(reviewer.cards()).to_have_count(before + 1)

        tab.get_by_role("tab", name="Areas").click()
        tab.locator("[data-rule=hide][data-tool=zone-box]").click()
        reviewer.drag(SIGN)
        expect(tab.locator("[data-zone='1']")).to_be_visible()
        reviewer.see_all()
        expect(tab.locator("#status")).to_have_text("Reviewed")

        tab.get_by_role("button", name="Make the video").click()
        tab.locator("#render-verify").uncheck()
        tab.get_by_role("button", name="Make it").click()
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download").click()
        made = frames_of(download.value.path())
        tab.locator(".card").nth(1).get_by_role("switch").click()
        expect(tab.get_by_role("link", name="Download, older than your changes")).to_be_visible()
        tab.get_by_role("link", name="Back to the files").click()
        with tab.expect_download() as again:
            tab.get_by_role("link", name="Download phone_redacted.mp4").click()
        assert again.value.path().read_bytes() == download.value.path().read_bytes()
    original = frames_of(clip)
    assert len(made) == len(original)
    assert difference(original[0], made[0], WALL) > HIDDEN
    assert difference(original[-1], made[-1], WALL) < SHOWN  # drawn in one picture only
    assert difference(np.zeros_like(made[0]), made[0], SIGN) < 20  # a solid color, as was chosen
    assert difference(original[0], made[0], SIGN) > HIDDEN
    assert difference(original[-1], made[-1], SIGN) > HIDDEN
    track = next(iter(kept_person["tracks"]))
    boxes = page.get(f"/api/reviews/{review}/boxes?first=0&last=19").json()["boxes"]
    shown = {row[0]: tuple(row[2:6]) for row in boxes if row[1] == track}
    middle = sorted(shown)[len(shown) // 2]
    assert difference(original[middle], made[middle], shown[middle]) < SHOWN


def test_messages_close_themselves(browser: sync_api.Browser, page: Page) -> None:
    with opened_tab(browser, "about:blank", keeps_messages=False) as tab:
        tab.clock.install()
        tab.goto(page.site.url())
        tab.evaluate("async () => void (await import('/static/messages.js')).toast('Done')")
        expect(tab.locator(".toast")).to_have_text("Done")
        tab.clock.fast_forward("00:06")
        expect(tab.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize("reviewed", [0], indirect=True)
def test_hiding_where_a_box_ends_follows_the_face(
    browser: sync_api.Browser, page: Page, reviewed: str
) -> None:
    """The person is hidden already: what H changes is how far, else the place stays open."""
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        review = tab.url.rpartition("/")[2]

        def frames() -> int:
            tracks = page.get(f"/api/reviews/{review}").json()["tracks"]
            return int(next(track["frames"] for track in tracks if track["id"] == 0))

        assert frames() == KEPT
        reviewer.press("n")
        expect(tab.locator(".doubt-card h3")).to_contain_text("ends early")
        expect(
            tab.locator(".doubt-card").get_by_role("button", name="Keep visible")
        ).to_be_disabled()
        reviewer.press("k")
        expect(tab.locator(".toast").last).to_contain_text("No one is hidden here")
        before = tab.locator("#status").inner_text()
        reviewer.press("h")
        until(lambda: frames() > KEPT)
        expect(tab.locator("#status")).not_to_have_text(before)


def test_no_one_has_looked_until_a_person_says_so(
    browser: sync_api.Browser, page: Page, reviewed: str
) -> None:
    """What is known of a result, made before, is said as it is, too."""
    found = {"verdict": "nothing found", "clean": True}
    result = {"job": "1", "is_current": True, "is_being_checked": True, "verdict": None}

    def with_result(route: sync_api.Route) -> None:
        state = route.fetch().json()
        route.fulfill(json={**state, "result": {**result, "is_current": not state["version"]}})

    with opened_tab(browser, "about:blank") as tab:
        tab.route(re.compile(r"/api/reviews/\w+$"), with_result)
        tab.goto(reviewed)
        Reviewer(tab, SIZE).wait()
        checked = tab.locator("#result-state")
        expect(checked).to_have_text("The result is being checked for faces.")
        result.update(is_being_checked=False, verdict=found)
        tab.reload()
        expect(checked).to_have_class("result-state good")
        expect(tab.locator("#status")).to_have_text("Not looked through yet")
        tab.locator(".card").last.get_by_role("switch").click()  # no decision says it
        expect(tab.locator("#undo")).to_be_enabled()
        expect(tab.locator("#status")).not_to_have_text("Reviewed")
        expect(checked).to_have_text(
            "The result before your changes was checked: No face was found."
        )
        expect(checked).to_have_class("result-state quiet")
        expect(tab.locator("#pane-doubts .summary")).to_contain_text("by choice: 1. Watch")
        tab.get_by_role("button", name="Undo", exact=True).click()  # of the message
        expect(tab.locator("#undo")).to_be_disabled()
        tab.get_by_role("button", name="I have looked through it").click()
        expect(tab.locator("#status")).to_have_text("Reviewed")
        review = tab.url.rpartition("/")[2]
        assert page.get(f"/api/reviews/{review}").json()["reviewed"] is True


def test_who_is_partly_hidden_becomes_hidden(
    browser: sync_api.Browser, page: Page, reviewed: str
) -> None:
    """Also: Enter in a question confirms it, and the reason is kept."""
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        reviewer.press("a")
        reviewer.drag((2, 2, SIZE[0] - 2, SIZE[1] - 2))
        expect(tab.locator("#selection-text")).to_have_text(f"{PEOPLE} people are selected")
        reviewer.press("Escape")
        reviewer.cards().nth(0).locator(".card-check").check()
        reviewer.cards().nth(1).locator(".card-check").check()
        tab.get_by_role("button", name="Same person").click()
        expect(reviewer.cards()).to_have_count(PEOPLE - 1)
        tab.get_by_role("tab", name="Person").click()
        tab.locator("#pane-person [id^=part-state]").first.click()
        state = tab.locator(".card.selected").get_by_role("switch")
        expect(state).to_have_text("Partly hidden")
        state.click()
        expect(state).to_have_text("Hidden")
        tab.locator("#stage").focus()
        reviewer.press("Shift+K")
        tab.locator("#reason").fill("agreed in writing")
        tab.locator("#reason").press("Enter")
        expect(state).to_have_text("Visible")
        review = tab.url.rpartition("/")[2]
        expect(tab.locator(".toast").last).to_contain_text("visible in the result")  # it is written
        line = page.get(f"/api/reviews/{review}/journal").json()["lines"][-1]
        assert (line["edit"]["op"], line["why"]) == ("keep", "agreed in writing")
        assert len(line["edit"]["tracks"]) == 2


def test_a_second_click_presses_nothing_else(
    browser: sync_api.Browser, page: Page, reviewed: str
) -> None:
    """Cards stay where they are when one is selected, and what is said names who it is about."""
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        review = tab.url.rpartition("/")[2]
        cards = reviewer.cards()
        before = [card.bounding_box() for card in cards.all()]
        cards.first.locator(".face.best").dblclick()
        expect(cards.first.locator(".card-select")).to_have_attribute("aria-pressed", "true")
        assert [card.bounding_box() for card in cards.all()] == before
        name = cards.first.locator(".name").inner_text()
        for said in (f"{name}: visible in the result.", f"{name}: visible already."):
            tab.locator("#sel-keep").click(delay=20)
            expect(tab.locator(".toast").last).to_contain_text(said)
        assert page.get(f"/api/reviews/{review}").json()["version"] == 1
        tab.locator("#render").dblclick()  # the second click does not close the dialog that opens
        expect(tab.locator("#render-shown")).to_contain_text(f"{name}: stays visible, as chosen")
        reviewer.press("Escape")
        reviewer.press("p", "ArrowRight", "k")  # who has the focus is who is decided about
        focused = tab.locator(".card:focus-within .name").inner_text()
        expect(tab.locator(".toast").last).to_contain_text(f"{focused}: visible in the result.")
        assert focused != name
        tab.locator(".toast").last.get_by_role("button", name="Undo").click()
        expect(tab.locator(".card.kept .name")).to_have_text([name])


def test_an_area_that_shows_hidden_people_says_so(browser: sync_api.Browser, reviewed: str) -> None:
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        tab.get_by_role("tab", name="Areas").click()
        tab.locator("[data-rule=ignore][data-tool=zone-box]").click()
        reviewer.drag((2, 2, SIZE[0] - 2, SIZE[1] - 2))
        shown = reviewer.cards().locator(".badge.danger")
        expect(shown.first).to_have_text("20 pictures")
        state = reviewer.cards().first.get_by_role("switch")
        expect(state).to_have_text("Not hidden")
        expect(tab.locator(".toast").last).to_contain_text("Not hidden any more because of it")
        reviewer.press("r")
        expect(tab.locator("#render-shown li")).to_have_count(PEOPLE)
        expect(tab.locator("#render-shown")).to_contain_text("areas or limits show 20 pictures")
        reviewer.press("Escape")
        reviewer.press("b")
        expect(tab.locator("#pane-person [id^=part-state]")).to_contain_text("Not hidden")
        reviewer.press("n")
        expect(tab.locator(".doubt-card h3")).to_contain_text("visible through an area")
        reviewer.press("h")  # a box is drawn where the person is known: there is nothing to follow
        expect(tab.locator(".toast")).to_have_text([re.compile(": hidden")])
        expect(tab.locator(".toast.error")).to_have_count(0)
        expect(shown).to_have_count(PEOPLE)  # the box is theirs; of which are seen:
        expect(tab.locator(".card .badge.danger:visible")).to_have_count(PEOPLE - 1)
        tab.locator(".toast").get_by_role("button", name="Undo").click()
        expect(tab.locator(".card .badge.danger:visible")).to_have_count(PEOPLE)
        reviewer.press("Control+z")
        expect(shown.first).to_be_hidden()


def test_a_face_that_can_be_seen_is_an_alarm(browser: sync_api.Browser, page: Page) -> None:
    job = {
        "id": "1",
        "action": "verify",
        "file": "a_redacted.mp4",
        "output": None,
        "state": "done",
        "progress": 1,
        "frames_per_second": None,
        "seconds_left": None,
        "error": None,
        "created": "2026-01-01T00:00:00Z",
        "started": None,
        "ended": None,
        "settings": {},
        "result": {"verdict": "exposed"},
        "review": "0" * 16,
    }
    left = {"reason": "track", "track": 0, "from": "0:00:00.000", "to": "0:00:01.000"}
    found = {"verdict": "nothing found", "clean": True, "left_visible": [left, left]}
    other = {**job, "id": "2", "file": "b_redacted.mp4", "result": found}
    warnings = ["photos/<b>d</b>.jpg: plates cover more than a fifth of the frame"]
    empty = {"files": 2, "nothing_found": ["photos/c.jpg"], "warnings": warnings}
    photos = {**job, "id": "3", "action": "redact", "file": "photos", "result": empty}
    partly = {"nothing_found": ["d.jpg"], "warnings": ["odd"] * 100, "warning_count": 10_000}
    failed = {**photos, "id": "4", "file": "other", "state": "failed", "result": partly}
    for name in ("photos", "photos_redacted", "more"):
        (page.folder / name).mkdir()
    for name in ("a.mp4", "a_redacted.mp4", "b.mp4"):
        (page.folder / name).touch()
    with opened_tab(browser, "about:blank") as tab:
        jobs = {"jobs": [job, other, photos, failed]}
        tab.route("**/api/jobs", lambda route: route.fulfill(json=jobs))
        tab.goto(page.site.url())
        facts = tab.locator(".job", has_text="b_redacted.mp4")
        expect(facts).to_contain_text("No other face was found. 1 face stays visible by choice.")
        alarm = tab.locator(".job.exposed")
        expect(alarm.get_by_role("alert")).to_have_text("A face can still be seen.")
        expect(alarm.get_by_role("link", name="Look at it")).to_be_visible()
        empty_row = tab.locator(".job", has_text="Hide everyone in photos")
        said = empty_row.locator("p.caution")
        expect(said).to_contain_text("Nothing to hide was found in: photos/c.jpg.")
        expect(empty_row.get_by_label("Warnings").get_by_role("listitem")).to_have_text(warnings)
        failed_row = tab.locator(".job.failed")
        expect(failed_row.locator("p.caution")).to_contain_text("was found in: d.jpg.")
        listed = failed_row.get_by_label("Warnings").get_by_role("listitem")
        expect(listed).to_have_text(["odd"] * 20 + ["and 9980 more"])
        tab.get_by_label("Choose all files and folders that have no result yet").check()
        for name in ("more", "b.mp4"):
            expect(tab.get_by_label(f"Choose {name}", exact=True)).to_be_checked()
        for name in ("photos", "photos_redacted", "a.mp4", "a_redacted.mp4"):
            expect(tab.get_by_label(f"Choose {name}", exact=True)).not_to_be_checked()
        badges = tab.locator(".entry .badge")
        expect(badges).to_contain_text(["Result made", "Made from photos"])


def test_a_damaged_file_can_be_taken_as_far_as_it_is_whole(
    browser: sync_api.Browser, page: Page
) -> None:
    """The error named an option of the command line, which the page did not have."""
    job = {
        "id": "1",
        "action": "track",
        "file": "a.mp4",
        "output": "a.tracks.jsonl",
        "state": "failed",
        "progress": None,
        "error": "a.mp4: is truncated: get the complete file, or keep some with --partial",
        "created": "2026-01-01T00:00:00Z",
        "ended": "2026-01-01T00:00:09Z",
        "settings": {"classes": ["faces"], "options": {"detector": "haar"}},
        "result": None,
        "review": None,
    }
    waits = {**job, "id": "2", "file": "b.mp4", "state": "waiting", "error": None, "ended": None}
    runs = {**waits, "id": "3", "file": "c.mp4", "state": "running"}
    sent: list[object] = []

    def answer(route: sync_api.Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.post_data_json)
        route.fulfill(json={"jobs": [job, waits, runs] if not sent else []})

    with opened_tab(browser, "about:blank", refused=404) as tab:
        tab.route("**/api/jobs", answer)
        tab.goto(page.site.url())
        expect(tab.locator(".job-title")).to_contain_text(["c.mp4", "b.mp4", "a.mp4"])
        expect(tab.locator("#running")).to_have_text("Find people in c.mp4, and 1 more")
        failed = tab.locator(".job.failed")
        expect(failed).to_contain_text("a.mp4: is truncated: get the complete file")
        failed.get_by_role("button", name="Take what is whole").click()
        until(lambda: sent)
    options = {"detector": "haar", "partial": True}
    assert sent == [
        {"files": ["a.mp4"], "action": "track", "classes": ["faces"], "options": options}
    ]


def test_a_photo_that_cannot_be_read_is_named_and_skipped(
    browser: sync_api.Browser, page: Page
) -> None:
    for name in ("photo 1.png", "photo 3.png"):
        save_image(noise(48, 64, 3), page.folder / name)
    (page.folder / "photo 2.png").write_bytes((page.folder / "photo 1.png").read_bytes()[:90])
    with opened_tab(browser, page.site.url(), refused=400) as tab:
        for number in (1, 2, 3):
            tab.get_by_label(f"Choose photo {number}.png").check()
        tab.get_by_role("button", name="Find people, then decide").click()
        expect(tab.locator("#photos-text")).to_have_text("Photo 1 of 3")
        expect(tab.locator("#cards")).to_contain_text("No one was found. Look at the image")
        expect(tab.locator("#stage-text")).to_be_empty()
        tab.locator("#photo-on").click()
        expect(tab.locator("#photos-text")).to_have_text("Photo 3 of 3")
        toast = tab.locator(".toast")
        expect(toast).to_contain_text("Skipped: photo 2.png: ")
        toast.get_by_role("button").click()
        tab.get_by_role("button", name="Make the photo").click()
        tab.locator("#render-all").check()
        tab.get_by_role("button", name="Make it").click()
        expect(tab.locator(".toast.error")).to_contain_text("Not made: photo 2.png: ")
    made = [
        job["file"] for job in page.get("/api/jobs").json()["jobs"] if job["action"] == "render"
    ]
    assert {"photo 1.png", "photo 3.png"} <= set(made)


def test_undo_and_a_reload_in_the_middle_lose_nothing(
    browser: sync_api.Browser, reviewed: str
) -> None:
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        expect(reviewer.cards()).to_have_count(PEOPLE)
        state = tab.locator(".card").first.get_by_role("switch")
        expect(state).to_be_checked()
        state.click()
        expect(state).to_have_text("Visible")
        expect(state).not_to_be_checked()
        picture = tab.locator("#canvas").bounding_box()
        reviewer.press("ArrowRight", "ArrowRight", "d")
        reviewer.drag(WALL)
        assert tab.locator("#canvas").bounding_box() == picture  # no tool changes the layout
        expect(reviewer.cards()).to_have_count(PEOPLE + 1)
        reviewer.at(2)

        tab.reload()
        reviewer.wait()
        reviewer.at(2)
        expect(reviewer.cards()).to_have_count(PEOPLE + 1)
        reviewer.press("Control+z")
        expect(reviewer.cards()).to_have_count(PEOPLE)
        reviewer.press("Control+z")
        expect(state).to_have_text("Hidden")
        expect(tab.locator("#undo")).to_be_disabled()
        reviewer.press("Control+Shift+z")
        expect(state).to_have_text("Visible")
        tab.get_by_role("tab", name="History").click()
        expect(tab.locator(".journal")).to_contain_text("Undo")
        expect(tab.locator(".journal")).to_contain_text("visible")


def test_a_card_shows_the_box_that_is_there_now(browser: sync_api.Browser, reviewed: str) -> None:
    """A box that is drawn after another one was taken back has its number, track and frame."""
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        expect(reviewer.cards()).to_have_count(PEOPLE)
        shown = []
        for place in (WALL, SIGN):
            reviewer.press("d")
            reviewer.drag(place)
            expect(reviewer.cards()).to_have_count(PEOPLE + 1)
            face = tab.locator(".card.selected img").first
            expect(face).to_have_attribute("src", re.compile("^blob:"))
            shown.append(face.get_attribute("src"))
            reviewer.press("Control+z")
            expect(reviewer.cards()).to_have_count(PEOPLE)
        assert shown[0] != shown[1]


def test_two_windows_see_each_others_edits(browser: sync_api.Browser, reviewed: str) -> None:
    with opened_tab(browser, reviewed) as one, opened_tab(browser, reviewed) as other:
        for tab in (one, other):
            Reviewer(tab, SIZE).wait()
        state = ".card >> nth=1 >> [role=switch]"
        one.locator(state).click()
        expect(other.locator(state)).to_have_text("Visible")
        other.locator(state).click()
        expect(one.locator(state)).to_have_text("Hidden")


def test_a_killed_server_loses_nothing(
    browser: sync_api.Browser, clip: Path, tmp_path: Path
) -> None:
    """The page shows what is written down, and says what to do."""
    folder, port = tmp_path / "videos", str(free_port())
    folder.mkdir()
    write_crossing_tracks(Path(shutil.copy(clip, folder / "clip.mp4")))
    with served(tmp_path, "app", folder, "--port", port) as (process, client, _):
        review = client.post("/api/reviews", json={"path": "clip.mp4"}).json()["id"]
        url = address_of(client, review)
        with opened_tab(browser, url, refused=403, may_lose=True) as tab:
            reviewer, lost = Reviewer(tab, SIZE), tab.locator("#lost")
            reviewer.wait()
            states = [tab.locator(".card").nth(at).get_by_role("switch") for at in range(2)]
            states[0].click()
            expect(tab.locator("#undo")).to_be_enabled()
            process.kill()
            process.wait()
            expect(lost).to_contain_text("does not answer")
            states[1].click()
            expect(states[1]).to_have_text("Hidden")  # it was shown ahead, and is taken back
            with served(tmp_path, "app", folder, "--port", port) as (_, client, _):
                expect(lost).to_contain_text("has a new address")
                tab.goto(address_of(client, review))
                reviewer.wait()
                expect(states[0]).to_have_text("Visible")
                expect(states[1]).to_have_text("Hidden")
                states[1].click()
                expect(states[1]).to_have_text("Visible")
                reviewer.press("Control+z", "Control+z")
                expect(states[0]).to_have_text("Hidden")
                expect(tab.locator("#undo")).to_be_disabled()


def address_of(client: httpx.Client, review: str) -> str:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return f"{client.base_url}review/{review}?token={token}"


def test_the_keyboard_suffices(browser: sync_api.Browser, page: Page, reviewed: str) -> None:
    """Choose, keep, draw, follow ends, look at all places, go through the video, and make it."""
    name = "test_the_keyboard_suffices.mp4"
    with opened_tab(browser, page.site.url()) as tab:
        expect(tab.get_by_label(f"Choose {name}")).to_be_visible()
        until(lambda: focused_after_tab(tab, f"Choose {name}"))
        tab.keyboard.press("Space")
        until(lambda: focused_after_tab(tab, "look"))
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/review/*")
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        reviewer.press("b", "k")
        expect(tab.locator(".card.kept")).to_have_count(1)
        reviewer.press("b", "h")
        expect(tab.locator(".card.kept")).to_have_count(1)

        reviewer.press("Escape", "d", "Alt+ArrowRight", *["Alt+Shift+ArrowUp"] * 3, "Enter")
        expect(reviewer.cards()).to_have_count(PEOPLE + 1)
        reviewer.press("Alt+ArrowLeft", "Alt+ArrowLeft")
        expect(tab.locator("#undo")).to_have_attribute(
            "title", "Undo: Change the box of Person 5 (Ctrl + Z)"
        )
        reviewer.press("Delete")
        expect(reviewer.cards()).to_have_count(PEOPLE)

        reviewer.press("End")
        reviewer.at(19)
        reviewer.press("Home", "ArrowRight")
        reviewer.at(1)
        reviewer.press("p", "ArrowRight", "Enter")
        expect(tab.locator(".card-select[aria-pressed=true]")).to_have_count(1)
        reviewer.press("?")
        expect(tab.get_by_role("dialog", name="Keys")).to_contain_text("Next place to look at")
        reviewer.press("Escape")
        reviewer.press("Escape")
        tab.locator("#stage").focus()
        reviewer.see_all()
        expect(tab.locator("#status")).to_have_text("Reviewed")
        reviewer.press("r")
        until(lambda: focused_after_tab(tab, "render-verify"))
        reviewer.press("Space", "Enter")
        expect(tab.get_by_role("link", name="Download")).to_be_visible()
        with tab.expect_download() as download:
            until(lambda: focused_after_tab(tab, "download"))
            tab.keyboard.press("Enter")
        assert len(frames_of(download.value.path())) == FRAMES


def focused_after_tab(tab: sync_api.Page, name: str) -> bool:
    """Press Tab, and return whether what has this label or id has the focus then."""
    tab.keyboard.press("Tab")
    names = tab.evaluate("[document.activeElement.ariaLabel, document.activeElement.id]")
    return name in names


def test_views_zoom_and_scrubbing(browser: sync_api.Browser, reviewed: str) -> None:
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        for key, name in (("2", "Result"), ("3", "Compare"), ("4", "Original"), ("1", "Who")):
            reviewer.press(key)
            expect(tab.get_by_role("radio", name=name)).to_be_checked()
            expect(reviewer.stage).to_have_attribute("data-ready", "true")
        fitted = tab.locator("#zoom-fit").inner_text()
        reviewer.press("+")
        expect(tab.locator("#zoom-fit")).not_to_have_text(fitted)
        reviewer.press("0")
        expect(tab.locator("#zoom-fit")).to_have_text(fitted)

        timeline = tab.locator("#timeline")
        box = timeline.bounding_box()
        assert box is not None
        tab.mouse.move(box["x"] + 200, box["y"] + 10)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] - 12, box["y"] + 10, steps=5)
        reviewer.at(19)
        tab.mouse.up()
        expect(timeline).to_have_attribute("aria-valuenow", "19")
        tab.locator("#goto").fill("0:00.20")
        tab.locator("#goto").press("Enter")
        reviewer.at(5)
        tab.locator("#goto").fill("0:75")
        tab.locator("#goto").press("Enter")
        expect(tab.locator(".toast.error")).to_contain_text("Write a time such as 1:23.5")


def test_boxes_are_moved_and_zones_move(
    browser: sync_api.Browser, reviewed: str, page: Page
) -> None:
    with opened_tab(browser, reviewed) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        review = tab.url.rpartition("/")[2]

        def boxes() -> dict[int, list[float]]:
            answer = page.get(f"/api/reviews/{review}/boxes?first=0&last=0").json()
            return {row[1]: row[2:6] for row in answer["boxes"]}

        track, box = next(iter(boxes().items()))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        reviewer.drag((*middle, middle[0] + 30, middle[1] + 12))
        moved = until(lambda: (now := boxes()[track]) != box and now)
        assert moved == pytest.approx([box[0] + 30, box[1] + 12, box[2] + 30, box[3] + 12], abs=1.5)

        tab.get_by_role("tab", name="Areas").click()
        tab.locator("[data-rule=ignore][data-tool=zone-polygon]").click()
        for corner in ((30, 30), (90, 30), (60, 90)):
            tab.mouse.click(*reviewer.place(*corner))
        reviewer.press("Enter")
        expect(tab.locator("[data-zone='1']")).to_be_visible()
        tab.locator("#zone-from-1").fill("0.1")
        tab.locator("#zone-from-1").press("Enter")
        expect(tab.locator("[data-zone='1']")).to_contain_text("From 0:00.10")
        tab.locator("#stage").focus()
        reviewer.press("End")
        tab.locator("#zone-moves-1").check()
        expect(tab.locator("[data-zone='1']")).to_contain_text("2 positions")
        (zone,) = page.get(f"/api/reviews/{review}").json()["zones"]
        assert zone["rule"] == "ignore"
        parsed = Zone.parse(zone["rule"], zone["where"])
        assert [float(at) for at, _ in parsed.keys] == [0.1, 0.76]
        assert parsed.end is None
        corners = parsed.corners(np.array([0.4]), SIZE)[0]
        np.testing.assert_allclose(corners, [(30, 30), (90, 30), (60, 90)], atol=1)


def test_names_with_markup_never_run(browser: sync_api.Browser, page: Page, clip: Path) -> None:
    name = f"{MARKUP}.mp4"
    with opened_tab(browser, page.site.url()) as tab:
        drop(tab, clip, name)
        expect(tab.get_by_label(f"Choose {name}")).to_be_checked()
    write_crossing_tracks(page.folder / name)
    review = page.post("/api/reviews", json={"path": name}).json()["id"]
    with opened_tab(browser, page.site.url().replace("/?", f"/review/{review}?")) as tab:
        reviewer = Reviewer(tab, SIZE)
        reviewer.wait()
        expect(tab.locator("#name")).to_have_text(name)
        reviewer.press("b")
        tab.get_by_role("tab", name="Person").click()
        tab.locator("#person-name").fill(MARKUP)
        tab.locator("#person-name").press("Enter")
        expect(tab.locator(".card.selected .name")).to_have_text(MARKUP)
        assert tab.locator("img[src=x]").count() == 0
