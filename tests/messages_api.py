"""A Messages API on loopback, whose model follows scripts: one for each conversation that begins.

A script is a list of replies; a reply is a list of content blocks, a `Reply`, or a `Fault`. Which
script a conversation follows is written into its replies, and read back from the next request.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARK = re.compile(r"(?:script |toolu_)(\d+)")


@dataclass
class Reply:
    """A reply that is special in how it ends, or in how long it takes."""

    content: list[dict[str, Any]]
    stop_reason: str | None = None
    seconds: float = 0


@dataclass
class Fault:
    """An answer that is no reply. `times` None means for ever; then the script goes on."""

    status: int = 200
    body: bytes = b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}'
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    cuts_connection: bool = False


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "name": name, "input": arguments}


class MessagesApi(ThreadingHTTPServer):
    """The server; `requests` has all bodies that it was sent, in their order."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, scripts: Sequence[list[Any]], handler: type[Handler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.scripts = scripts
        self.requests: list[dict[str, Any]] = []
        self.begun = -1
        self.faults: Counter[tuple[int, int]] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> MessagesApi:
        # How often it looks whether it shall end: by default only twice a second.
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that ends its connection early is no error of this server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def script_for(self, body: dict[str, Any]) -> int:  # noqa: ARG002 - for subclasses.
        """The number of the script for the conversation that begins: one after the other."""
        return self.begun % len(self.scripts)

    def next_of(self, body: dict[str, Any], *, is_retry: bool) -> tuple[int, int, Any]:
        """Which script, which step, and what it says there."""
        with self.lock:
            self.requests.append(body)
            replies = [m for m in body["messages"] if m["role"] == "assistant"]
            if replies:
                script = int(MARK.findall(json.dumps(replies))[0])
            else:
                self.begun += not is_retry
                script = self.script_for(body)
            step = len(replies)
            steps = [s for s in self.scripts[script] if not isinstance(s, Fault)]
            fault = self.scripts[script][step] if step < len(self.scripts[script]) else None
            if isinstance(fault, Fault):
                self.faults[script, step] += 1
                if fault.times is None or self.faults[script, step] <= fault.times:
                    return script, step, fault
            return script, step, steps[min(step, len(steps) - 1)]


class Handler(BaseHTTPRequestHandler):
    """Answers POST /v1/messages."""

    protocol_version = "HTTP/1.1"
    server: MessagesApi

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_retry = self.headers.get("x-stainless-retry-count", "0") != "0"
        script, step, said = self.server.next_of(body, is_retry=is_retry)
        if isinstance(said, Fault):
            self.answer(said.status, said.body, said.headers, cut=said.cuts_connection)
            return
        reply = said if isinstance(said, Reply) else Reply(said)
        time.sleep(reply.seconds)
        self.answer(200, json.dumps(self.message(body, reply, script, step)).encode())

    def message(self, body: dict[str, Any], reply: Reply, script: int, step: int) -> dict[str, Any]:
        return message(body, reply, script, step)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body) + 1000 * cut))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cut

    def log_message(self, *_: object) -> None:
        """Nothing goes to the terminal."""


def _comes_later(block: dict[str, Any]) -> bool:
    return block.get("type") != "thinking"


def message(request: dict[str, Any], reply: Reply, script: int, step: int) -> dict[str, Any]:
    """The reply as the API writes it."""
    calls = 0
    content = []
    for block in reply.content:
        if block.get("type") == "tool_use":
            calls += 1
            block = {**block, "id": f"toolu_{script}_{step}_{calls}"}
        content.append(block)
    return {
        "id": f"msg_{script}_{step}",
        "type": "message",
        "role": "assistant",
        "model": f"{request['model']}-20251001",
        "content": sorted([text(f"script {script}"), *content], key=_comes_later),
        "stop_reason": reply.stop_reason or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 50},
    }
