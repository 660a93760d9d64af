"""The HTML report in a real browser: it works, it is quick, and nothing in it comes alive."""

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from textwrap import dedent

import pytest

from pytest_balanced_sampler.grade import TestDetails as Details
from pytest_balanced_sampler.results.page import page_html
from pytest_balanced_sampler.results.read import read_results
from pytest_balanced_sampler.results.summary import summarise
from pytest_balanced_sampler.task import Expectations
from tests.reports import calls, grade, result, said, write_report, write_run

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
    """One context for all pages, each of which is closed: Chromium starts processes for each."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        context = browser.new_context()
        context.new_page()  # Without one, each page would begin with a new window.
        yield context
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    with pages(browser, tmp_path) as open_page:
        yield open_page


@contextmanager
def pages(browser, folder):
    """Open the report of these grades; whatever the console says or the network is asked fails."""
    complaints, opened = [], []

    def open_page(results, color_scheme="light", viewport=None):
        summary = summarise(results, Expectations((0.1, 0.4), {"balance": 0.5}))
        path = folder / "report.html"
        path.write_text(page_html(results, summary))
        page = browser.new_page()
        opened.append(page)
        page.emulate_media(color_scheme=color_scheme)
        if viewport is not None:
            page.set_viewport_size(viewport)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend({request.url} - {path.as_uri()}))
        page.goto(path.as_uri())
        return page

    yield open_page
    for page in opened:
        page.close()
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
    page.close()


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


CODE = """\
def double(x):
    return "two"  # 🎈 2
"""
PROMPT = {"role": "user", "content": "Write it."}
CONVERSATION = [
    PROMPT | {"at": 0.0},
    said({"type": "text", "text": "I will <b>not</b>."}, calls("run_python", code=CODE), at=1.5,
         usage={"input_tokens": 1000, "output_tokens": 20}),
    result(dedent("""\
        1
        [exit status 3]
    """)) | {"at": 2.0},
    said(calls("write_file", path="solution.py", content=dedent("""\
        a = 1
        b = 2
    """)),
         stop_reason="max_tokens"),
    result("wrote 6 bytes"),
    said(calls("write_file", path="solution.py", content=dedent("""\
        a = 1
        b = 3
    """))),
    result("no", is_error=True),
    said({"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Done."}),
]  # fmt: skip


@pytest.fixture(scope="module")
def rollout(browser, tmp_path_factory):
    """The page of a run of one rollout, whose details are open."""
    source = dedent("""\
        a = 1
        b = 4
    """)
    folder = tmp_path_factory.mktemp("rollout")
    with pages(browser, folder) as open_page:
        page = open_page(write_run(folder / "run", [CONVERSATION], {1: source}))
        page.locator("#grid tbody .open").click()
        yield page


@pytest.fixture(scope="module")
def turns(rollout):
    return [turn.inner_text() for turn in rollout.locator(".turn").all()]


def test_a_rollout_begins_with_what_it_took_and_what_failed(rollout):
    assert rollout.title() == "Pass rate of m-1 on some_task: 0.0%"
    details = rollout.locator("#details-body").inner_text()
    assert "3 steps · 1,234 tokens" in details
    assert "What failed first: test_second\n2 is not 3" in details


def test_a_prompt_is_folded(rollout):
    assert not rollout.get_by_text("Write it.").is_visible()
    rollout.get_by_text("Prompt", exact=True).click()
    assert rollout.get_by_text("Write it.").is_visible()


def test_a_turn_has_what_was_said_the_call_and_its_result(turns):
    assert "Turn 1 1,000 input tokens · 20 output tokens · 2 s\nI will <b>not</b>." in turns[1]
    assert "run_python\n" + CODE.strip() in turns[1]
    assert "Result exit status 3" in turns[1]
    assert "ended by max_tokens" in turns[2]
    assert "Result refused" in turns[3]
    assert "Done." in turns[4]


def test_a_turn_has_what_it_changed_in_a_file(rollout, turns):
    """And so has the file that was graded, which no call wrote."""
    assert "solution.py, version 2: what changed" in turns[3]
    assert "\n a = 1\n-b = 2\n+b = 3" in turns[3]
    rollout.get_by_text("The file that was graded").click()
    assert "-b = 3\n+b = 4" in rollout.locator("#details-body").inner_text()


def test_code_is_coloured(rollout):
    kinds = {span: rollout.locator(f".turn .code-{span}").first.inner_text() for span in "kdsc"}
    assert kinds == {"k": "def", "d": "double", "s": '"two"', "c": "# 🎈 2"}


def test_a_cell_opens_its_test(open_page, tmp_path):
    """The message of the test whose cell was clicked stands first, not that of another."""
    seen = {
        name: asdict(Details(message=f"{name} says no")) for name in ("test_first", "test_third")
    }
    fields = {"details": seen, "failed": list(seen), "message": "test_first says no"}
    results = write_run(tmp_path / "run", [CONVERSATION], {1: "a = 1"}, {1: fields})
    page = open_page(results)
    page.locator("#grid tbody .cell.failed").nth(1).click()
    body = page.inner_text("#details-body")
    assert "test_third: failed\ntest_third says no\n" in body
    assert body.index("test_third says no") < body.index("What failed first: test_first")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_conversation_has_contrast(open_page, tmp_path, scheme):
    """Code, differences and badges stand out as all other text does."""
    results = write_run(tmp_path / "run", [CONVERSATION], {1: "a = 1\n"})
    page = open_page(results, color_scheme=scheme)
    page.locator("#grid tbody .open").click()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate(LOW_CONTRAST) == []


def test_keys_lead_through_rollouts(open_page, tmp_path):
    """J and K, the arrows and the buttons go through the rollouts that are found, in order."""
    talks = [[PROMPT, said({"type": "text", "text": f"number {n}"})] for n in range(1, 5)]
    page = open_page(write_run(tmp_path / "run", talks))
    assert page.locator("#grid .open").all_inner_texts() == ["0001", "0002", "0003", "0004"]
    page.locator("#grid .open").nth(1).click()

    def shown():
        return page.inner_text("#position"), page.locator(".said").inner_text()

    assert shown() == ("2 of 4", "number 2")
    for key, place in [("j", 3), ("ArrowRight", 4), ("j", 4), ("k", 3), ("ArrowLeft", 2)]:
        page.keyboard.press(key)
        assert shown() == (f"{place} of 4", f"number {place}")
    page.click("#previous")
    assert shown()[0] == "1 of 4"
    assert page.url.endswith("#1")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "#" not in url)
    page.keyboard.press("j")
    assert not page.locator("#details").is_visible()
    page.goto(page.url.partition("#")[0] + "#3")
    page.reload()
    assert shown() == ("3 of 4", "number 3")


DEEP = '{"role": "assistant", "content": ' + "[" * 100_000 + "]" * 100_000 + "}"
ODD = [
    "no JSON <b>", DEEP, "3", "null", '{"role": "user"}', '{"content": null}', '{"content": 7}',
    said({"type": HOSTILE, "x": HOSTILE}, None, 3, [], {"type": "tool_use"}, "bare"),
    said({"type": "tool_use", "name": HOSTILE, "input": {HOSTILE: HOSTILE}}),
    said({"type": "tool_use", "name": "write_file", "input": "{broken"}),
    said(calls("write_file", path=[HOSTILE], content=["x"]), calls("run_python", code=HOSTILE)),
    said({"type": "text", "text": "a" * 200_000}), said({"type": "text", "text": "\u202e\x1b[31m"}),
    said(calls("run_python", code="(" * 50_000), usage={"input_tokens": "many", HOSTILE: 3}),
    said(usage=[1], stop_reason=[HOSTILE], at="never"), said(at=float("inf")), said(at=-1),
    result([{"type": "text", "text": "in a list"}]), result({"x": HOSTILE}), result(None),
]  # fmt: skip


def test_odd_blocks_hide_nothing(open_page, tmp_path):
    """Whatever stands in a transcript, what came before and after it is shown, and all as text."""
    told = [PROMPT, *ODD, said({"type": "text", "text": "the end"})]
    page = open_page(write_run(tmp_path / "run", [told]), viewport={"width": 360, "height": 740})
    page.locator("#grid tbody .open").click()
    texts = page.locator(".said").all_inner_texts()
    assert texts[-1] == "the end"
    assert "\\u202e\\x1b[31m" in texts
    assert "bare" in texts
    assert page.title() == "Pass rate of m-1 on task: 0.0%"
    assert page.locator("img, iframe, dialog b, script:not([type]):not(:last-of-type)").count() == 0
    assert "cannot be shown" not in page.inner_text("#details-body")
    wide = "[...document.querySelectorAll('#details, #details *')]"
    wide += ".filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth)"
    assert page.evaluate(f"{wide}.map((each) => [each.tagName, each.className])") == []


def test_histograms_have_axes(open_page, tmp_path):
    """Each has the numbers of its axes, and what they count; empty outcomes have no box."""
    page = open_page(write_run(tmp_path / "run", [[PROMPT], [PROMPT], [PROMPT]]))
    assert page.locator("figure").first.locator("text").all_text_contents() == [
        "3", "1", "0", "3", "steps per rollout", "rollouts",
    ]  # fmt: skip
    boxes = page.locator(".counts dt").all_inner_texts()
    assert boxes[:3] == ["passed", "failed", "no solution"]
    assert "harness error" not in boxes


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
