"""A candidate run as a program does what `python FILE` does: output, exit status, end."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

from pytest_balanced_sampler.errors import LoadError, SolutionCrash, SolutionTimeout
from pytest_balanced_sampler.judge.limits import NOTHING_USED
from pytest_balanced_sampler.judge.program import MAX_STREAM_BYTES, TimeIsUp
from pytest_balanced_sampler.judge.supply import WorkerSupply

STDIN = "3 4\nsecond line \r\nünï ☃\n".encode() + b"\xff\xfe tail\0"

PROGRAMS = {
    "nothing": "pass",
    "input": "print(input('a prompt '), input(), sep='|')",
    "text": dedent("""\
        import sys
        print(ascii(sys.stdin.read()))
    """),
    "text_out_and_in": dedent("""\
        import sys
        sys.stdout.write(sys.stdin.read())
    """),
    "bytes": dedent("""\
        import sys
        sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])
    """),
    "lines": dedent("""\
        import sys
        for n, line in enumerate(sys.stdin): print(n, ascii(line))
    """),
    "descriptors": dedent("""\
        import os
        while data := os.read(0, 7): os.write(1, data + b'|')
    """),
    "opened_by_number": "print(ascii(open(0).read()), file=open(1, 'w', closefd=False))",
    "opened_by_path": "print(len(open('/dev/stdin', 'rb').read()), file=open('/dev/stdout', 'w'))",
    "end_of_input": "for _ in range(9): print(input())",
    "streams": """
import sys
for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__):
    print(stream.fileno(), stream.isatty(), stream.name, stream.mode, stream.line_buffering,
          stream.write_through, stream.errors, stream.newlines, type(stream.buffer).__name__,
          type(stream.buffer.raw).__name__, stream.buffer.raw.name, stream.buffer.raw.mode)
print(sys.stdin.seekable(), sys.stdout is sys.__stdout__)
""",
    "main": """
import sys, __main__
print(__name__, __spec__ is None, __package__, __doc__, sys.argv[1:], sys.argv[0])
print(__file__[-12:], __file__[0])
print(type(__loader__).__name__, type(__builtins__).__name__, vars(__main__) is globals())
import solution
print(solution.__name__, len(sys.path[0]) > 0)
""",
    "pickles_its_own_class": """
import dataclasses, pickle
@dataclasses.dataclass
class Point: x: 'int'
print(pickle.loads(pickle.dumps(Point(3))))
""",
    "exit_none": "import sys; sys.exit()",
    "exit_3": "import sys; print('x'); sys.exit(3)",
    "exit_256": "import sys; sys.exit(256)",
    "exit_minus_1": "import sys; sys.exit(-1)",
    "exit_huge": "import sys; sys.exit(2**70)",
    "exit_true": "import sys; sys.exit(True)",
    "exit_text": "import sys; sys.exit('what went wrong')",
    "exit_list": "raise SystemExit([1, None])",
    "exit_float": "raise SystemExit(0.0)",
    "exit_text_of_its_own": "raise SystemExit(type('T', (str,), {'__str__': lambda t: 'x'})('y'))",
    "exit_odd": dedent("""\
        class Odd:
            def __str__(self): raise ValueError
        raise SystemExit(Odd())
    """),
    "exit_int_of_its_own": """
class Odd(int):
    def __and__(self, other): return 0
    def __le__(self, other): return False
raise SystemExit(Odd(7))
""",
    "exit_at_once": "import os; print('lost'); os._exit(0)",
    "exit_in_a_function_that_waits": dedent("""\
        try:
            exit(4)
        finally:
            print('last')
    """),
    "error": dedent("""\
        print('before')
        def f(x):
            return 1 / x
        f(0)
    """),
    "chained": dedent("""\
        try:
            {}[1]
        except KeyError as error:
            raise OSError(3) from error
    """),
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "recursion": dedent("""\
        import sys
        sys.tracebacklimit = 0
        def f(): f()
        f()
    """),
    "interrupt": dedent("""\
        print('x')
        raise KeyboardInterrupt
    """),
    "hook": dedent("""\
        import sys
        sys.excepthook = lambda *a: print('hooked', a[0].__name__)
        1 / 0
    """),
    "hook_that_exits": dedent("""\
        import sys
        sys.excepthook = lambda *a: sys.exit(9)
        1 / 0
    """),
    "warning": dedent("""\
        import warnings; warnings.warn('careful')
        import sys; print(len(sys.argv))
    """),
    "syntax_warning": "print('\\d')",
    "atexit": """
import atexit, threading, time
atexit.register(print, 'second')
atexit.register(print, 'first')
def late(): threading.main_thread().join(); print('thread')
threading.Thread(target=late).start()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print('main')
""",
    "pool": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
futures = [pool.submit(lambda n: print('job', n, flush=True), n) for n in range(3)]
""",
    "error_in_a_thread": """
import threading
def f(): raise OSError('there')
thread = threading.Thread(target=f, name='T'); thread.start(); thread.join(); print('on')
""",
    "exit_in_a_thread": """
import sys, threading
thread = threading.Thread(target=sys.exit, args=(5,)); thread.start(); thread.join(); print('on')
""",
    "async": """
import asyncio
async def main():
    await asyncio.sleep(0.01)
    print(await asyncio.to_thread(input))
asyncio.run(main())
""",
    "unflushed": """
import sys
def used(): return mine
mine = open(1, 'w', closefd=False)
mine.write('not flushed by hand\\n')
""",
    "freed": """
class Last:
    def __del__(self): print('freed', word)
word = 'yes'
last = Last()
print('end')
""",
    "own_stdout": """
import io, sys
class Writer(io.TextIOBase):
    def __init__(self): self.parts = []
    def write(self, text): self.parts.append(text.upper())
    def flush(self): sys.__stdout__.write(''.join(self.parts)); self.parts.clear()
sys.stdout = Writer()
print('shouted')
""",
    "fast_output": """
import atexit, io, os, sys
sys.stdout = io.StringIO()
atexit.register(lambda: os.write(1, sys.stdout.getvalue().encode()))
for n in range(3): print(n)
""",
    "no_stdout": dedent("""\
        import sys
        print('a')
        sys.stdout = None
        print('b')
    """),
    "closed_stdout": dedent("""\
        import sys
        print('a')
        sys.stdout.close()
    """),
    "closed_descriptor": dedent("""\
        import os
        print('a')
        os.close(1)
    """),
    "closed_descriptors": dedent("""\
        import os
        os.closerange(3, 1000)
        os.close(0)
        print('still')
    """),
    "full": dedent("""\
        import sys
        sys.stdout = open('/dev/full', 'w')
        print('x')
    """),
    "reconfigured": """
import sys
sys.stdout.reconfigure(encoding='latin-1', newline='\\r\\n')
print('ü')
""",
    "c_library": dedent("""\
        import ctypes
        ctypes.CDLL(None).printf(b'from C\\n')
    """),
    "aborts": dedent("""\
        import os
        print('x')
        os.abort()
    """),
    "terminates": dedent("""\
        import os, signal
        os.kill(os.getpid(), signal.SIGTERM)
    """),
    "alarm": dedent("""\
        import signal, time
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        time.sleep(9)
    """),
    "handles_a_signal": """
import os, signal
signal.signal(signal.SIGUSR1, lambda number, frame: print('caught', number))
os.kill(os.getpid(), signal.SIGUSR1)
""",
    "writes_to_its_input": """
import os
try: os.write(0, b'x')
except OSError as error: print(error)
""",
    "coding": dedent("""\
        # -*- coding: latin-1 -*-
        print('ü'.isalpha())
    """),
    "byte_order_mark": "\ufeffprint('bom')",
}


@pytest.fixture(scope="module")
def supply():
    supply = WorkerSupply([], "auto")
    yield supply
    supply.discard_warm_process()


def run(supply, source, *arguments, stdin=b"", cpu_seconds=60.0, timeout=None):
    program = supply.fork_program()
    source = source if isinstance(source, bytes) else source.encode()
    limits = {"cpu_seconds": cpu_seconds, "before": NOTHING_USED, "timeout": timeout}
    code = program.run(["solution", source, list(arguments), {}, None], stdin, **limits)
    return code, bytes(program.stdout), bytes(program.stderr)


def test_as_a_process_of_its_own(supply, tmp_path):
    """Programs of many kinds, each as it runs under the interpreter itself."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    arguments = ["--flag", "ünï", "two words", ""]
    differing = {}
    for name, source in PROGRAMS.items():
        encoding = "latin-1" if "latin-1 -*-" in source else "utf-8"
        source = source.lstrip("\n").encode(encoding)
        (tmp_path / "solution.py").write_bytes(source)
        command = [sys.executable, "solution.py", *arguments]
        real = subprocess.run(
            command, input=STDIN, capture_output=True, cwd=tmp_path, env=environment
        )
        expected = real.returncode, real.stdout, real.stderr.replace(os.fsencode(tmp_path), b"")
        code, out, err = run(supply, source, *arguments, stdin=STDIN)
        if (code, out) != expected[:2] or err.splitlines()[-1:] != expected[2].splitlines()[-1:]:
            differing[name] = (code, out, err), expected
    assert differing == {}


def test_much_input_and_output(supply):
    """64 MB each; and a program that reads none of its input."""
    data = os.urandom(2**16) * 2**10
    copy = dedent("""\
        import sys
        sys.stdout.buffer.write(sys.stdin.buffer.read())
    """)
    assert run(supply, copy, stdin=data) == (0, data, b"")
    assert run(supply, "import sys; sys.exit(2)", stdin=data) == (2, b"", b"")
    with pytest.raises(SolutionCrash, match="wrote over 128 MiB"):
        run(supply, "while True: print('x' * 1000)")
    assert len(data) < MAX_STREAM_BYTES


def test_time(supply):
    """Limits of the CPU and of the clock; what was printed by then can be read."""
    with pytest.raises(SolutionTimeout):
        run(supply, "while True: pass", cpu_seconds=0.5)
    for source in ("while True: pass", "import time; time.sleep(60)"):
        program = supply.fork_program()
        source = f"print('so far', flush=True)\n{source}\n".encode()
        limits = {"cpu_seconds": 60.0, "before": NOTHING_USED, "timeout": 0.3}
        with pytest.raises(TimeIsUp, match="did not end"):
            program.run(["solution", source, [], {}, None], b"", **limits)
        assert program.stdout == b"so far\n"


def test_no_python(supply):
    """A file that cannot be compiled is a load error, whatever it would have done."""
    for source in ("def f(:", "x = '\0'", "\xff", "(" * 500, "return 1"):
        with pytest.raises(LoadError):
            run(supply, source.encode("latin-1"))
