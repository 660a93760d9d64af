"""The HTML report in a real browser: it works, it is quick, and nothing in it comes alive."""

import hashlib
import json
import shutil

import pytest

from pytest_balanced_sampler.results.page import page_html
from pytest_balanced_sampler.results.read import read_results
from pytest_balanced_sampler.results.summary import summarise
from pytest_balanced_sampler.task import Expectations
from tests.reports import grade, write_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<style>body{display:none}</style>{{ 7 * 7 }}<a href='javascript:document.title=1'>x</a>"
)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open the report of these grades; whatever the console says or the network is asked fails."""
    complaints = []

    def open_page(results, **options):
        summary = summarise(results, Expectations((0.1, 0.4), {"balance": 0.5}))
        path = tmp_path / "report.html"
        path.write_text(page_html(results, summary))
        page = browser.new_page(**options)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: request.url == path.as_uri() or complaints.append(request.url),
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    assert [c for c in complaints if not c.startswith("data:")] == []


def a_report(tmp_path, count=12):
    source = "print('a candidate')\n"
    (tmp_path / "bad1.py").write_text(source)
    grades = [grade(f"good{i}.py") for i in range(count)]
    grades += [
        grade("bad1.py", "failed", "balance", "batch 2 is off", failed=["test_second"],
              sha256=hashlib.sha256(source.encode()).hexdigest()),
        grade("bad2.py", "failed", "timeout", "over 20 s"),
    ]  # fmt: skip
    return read_results(write_report(tmp_path / "report.json", grades))


def test_headline_filter_and_details(open_page, tmp_path):
    """The rate is there to read; the table filters; a cell opens message and source."""
    page = open_page(a_report(tmp_path))
    assert "85.7% of 14 graded candidates pass" in page.inner_text(".headline")
    assert page.locator("#grid tbody tr").count() == 14
    page.fill("#search", "bad")
    assert page.locator("#grid tbody tr").count() == 2
    page.select_option("#failed", "test_first")
    assert page.inner_text("#shown") == "1 of 14"
    page.select_option("#failed", "")
    page.select_option("#mode", "balance")
    page.locator("#grid tbody .cell.failed").first.click()
    assert page.inner_text("#details-name") == "bad1.py"
    assert "batch 2 is off" in page.inner_text("#details-body")
    assert "print('a candidate')" in page.inner_text("#details-body")
    page.keyboard.press("Escape")
    assert not page.locator("#details").is_visible()


def test_a_source_is_found_by_its_path(tmp_path):
    """A name is only shown: one with `#1` in it, or cut short for people, finds its own source."""
    paths = [tmp_path / name for name in ("a#1.py", "a.py")]
    for path in paths:
        path.write_text(f"print({path.name!r})\n")
    shas = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    grades = [
        grade("shown", path=str(path), sha256=sha) for path, sha in zip(paths, shas, strict=True)
    ]
    grades.append(grade("shown", path="no\0path", sha256=shas[0]))
    results = read_results(write_report(tmp_path / "report.json", grades))
    html = page_html(results, summarise(results, Expectations()))
    assert "print(\\u0027a#1.py\\u0027)" in html
    assert "print(\\u0027a.py\\u0027)" in html


def test_it_is_used_by_keyboard(open_page, tmp_path):
    """Tab reaches the filters and the table; Enter opens a candidate."""
    page = open_page(a_report(tmp_path))
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.className")
        )
    assert reached == ["search", "outcome", "mode", "failed", "open", "cell passed"]
    page.keyboard.press("Enter")
    assert page.locator("#details").is_visible()


def test_nothing_from_a_candidate_comes_alive(open_page, tmp_path):
    """Names, messages, modes and sources full of markup are shown as text."""
    (tmp_path / "source.py").write_text(HOSTILE)
    hostile = grade(
        HOSTILE, "failed", HOSTILE, HOSTILE, tampering=[HOSTILE],
        sha256=hashlib.sha256(HOSTILE.encode()).hexdigest(),
    )  # fmt: skip
    hostile["tests"] = {HOSTILE: "failed"}
    results = read_results(write_report(tmp_path / "r.json", [hostile]))
    page = open_page(results)
    title = page.title()
    page.locator("#grid tbody .open").click()
    assert HOSTILE in page.inner_text("#details-body")
    assert page.title() == title
    assert page.locator("img, iframe, script:not([type]):not(:last-of-type)").count() == 0
    assert page.locator("body").is_visible()


def test_the_policy_refuses_what_is_not_the_pages(browser, tmp_path):
    """Even markup that got into the page could neither run nor fetch anything."""
    results = a_report(tmp_path)
    html = page_html(results, summarise(results, Expectations()))
    inserted = "<script>document.title='owned'</script><img src='http://127.0.0.1:9/x'></main>"
    path = tmp_path / "report.html"
    path.write_text(html.replace("</main>", inserted))
    page = browser.new_page()
    failures = []
    page.on("requestfailed", lambda request: failures.append(request.failure))
    page.goto(path.as_uri())
    assert page.title() != "owned"
    assert failures in ([], ["csp"])
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<p>x</p>'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_page, tmp_path, scheme):
    """Every text stands out from its background by 4.5 to 1 (WCAG 2.2, 1.4.3), day and night."""
    page = open_page(a_report(tmp_path), color_scheme=scheme)
    assert page.evaluate(LOW_CONTRAST) == []


def test_a_phone_does_not_scroll_sideways(open_page, tmp_path):
    """On a narrow screen only the tables scroll, each by itself."""
    page = open_page(a_report(tmp_path), viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_thousands_of_candidates_stay_usable(open_page, tmp_path):
    """The table shows some, and more when asked; the filter looks through all."""
    page = open_page(a_report(tmp_path, 3000))
    assert page.locator("#grid tbody tr").count() == 200
    page.click("#more")
    assert page.locator("#grid tbody tr").count() == 400
    page.fill("#search", "bad2")
    assert page.inner_text("#shown") == "1 of 3002"


def test_a_run_shows_transcripts(open_page, tmp_path):
    """Of a rollout the page has the steps, the tokens and what was said."""
    folder = tmp_path / "run"
    (folder / "rollouts/0001/workspace").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"settings": {"model": "m", "prompt": "Write."}}))
    record = {
        "rollout": 1, "status": "no_solution", "error": None, "steps": 3, "stop_reason": "end_turn",
        "model": "m-1", "usage": {"input_tokens": 1000, "output_tokens": 234}, "duration": 1.5,
    }  # fmt: skip
    (folder / "rollouts/0001/rollout.json").write_text(json.dumps(record))
    messages = [
        {"role": "user", "content": "Write."},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I will <b>not</b>."},
            {"type": "tool_use", "name": "run_python", "input": {"code": "print(1)"}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": "1"}]},
    ]  # fmt: skip
    transcript = "".join(json.dumps(message) + "\n" for message in messages)
    (folder / "rollouts/0001/transcript.jsonl").write_text(transcript)
    page = open_page(read_results(folder))
    page.locator("#grid tbody .open").click()
    assert "3 steps · 1,234 tokens" in page.inner_text("#details-body")
    page.click("summary")
    assert "I will <b>not</b>." in page.inner_text("#details-body")
    assert "ASSISTANT CALLS run_python\nprint(1)" in page.inner_text("#details-body")


LOW_CONTRAST = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [R, G, B] = [r, g, b].map((c) => linear(c / 255));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const paper = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(paper(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([element.tagName, element.className, text, ratio]);
  }
  return low;
}"""
