"""Forty small problems of judges: a right program, a wrong one, and pairs of input and output.

A wrong program is the right one with one text replaced by another.
"""

from textwrap import dedent
from typing import NamedTuple


class Problem(NamedTuple):
    """A program, the text in it that is replaced to make it wrong, and pairs."""

    right: str
    replaced: str
    by: str
    pairs: list[tuple[str, str]]


NUMBERS = """\
import sys
numbers = list(map(int, sys.stdin.read().split()))
"""
BRACKETS = """
pairs, open_ones = {")": "(", "]": "["}, []
def closes(c): return bool(open_ones) and open_ones.pop() == pairs[c]
ok = all(closes(c) if c in pairs else open_ones.append(c) is None for c in input())
print("yes" if ok and not open_ones else "no")
"""
GRID = """
import sys
from collections import deque
grid = sys.stdin.read().split()
seen, queue = {(0, 0): 0}, deque([(0, 0)])
while queue:
    y, x = queue.popleft()
    for v, u in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
        inside = 0 <= v < len(grid) and 0 <= u < len(grid[0])
        if inside and grid[v][u] == "." and (v, u) not in seen:
            seen[v, u] = seen[y, x] + 1
            queue.append((v, u))
print(seen.get((len(grid) - 1, len(grid[0]) - 1), -1))
"""
DIJKSTRA = """
import heapq
n, m = map(int, input().split())
edges = [[] for _ in range(n)]
for _ in range(m):
    a, b, w = map(int, input().split())
    edges[a].append((b, w))
best, heap = {}, [(0, 0)]
while heap:
    d, a = heapq.heappop(heap)
    if a in best: continue
    best[a] = d
    for b, w in edges[a]: heapq.heappush(heap, (d + w, b))
print(*(best.get(a, "-") for a in range(n)))
"""
QUEENS = """
def count(n, row=0, taken=()):
    if row == n: return 1
    return sum(count(n, row + 1, (*taken, c)) for c in range(n)
               if all(c != d and abs(c - d) != row - r for r, d in enumerate(taken)))
print(count(int(input())))
"""
RISING = """\
from bisect import bisect_left
t = []
for n in numbers:
    i = bisect_left(t, n); t[i : i + 1] = [n]
print(len(t))
"""
LCS = """
a, b = input(), input()
best = [0] * (len(b) + 1)
for x in a:
    last = 0
    for j, y in enumerate(b, 1):
        last, best[j] = best[j], last + 1 if x == y else max(best[j], best[j - 1])
print(best[-1])
"""
DEEP = """
import sys, threading
sys.setrecursionlimit(10**6)
threading.stack_size(2**26)
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
thread = threading.Thread(target=lambda: print(depth(int(input()))))
thread.start()
"""
ROMAN = """
n, text = int(input()), ""
for value, sign in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
    while n >= value: text, n = text + sign, n - value
print(text)
"""
UNION = """
n, *pairs = map(int, open(0).read().split())
parent = list(range(n))
def root(a):
    while parent[a] != a: a = parent[a]
    return a
for a, b in zip(pairs[::2], pairs[1::2]): parent[root(a)] = root(b)
print(len({root(a) for a in range(n)}))
"""
STACK = """
import sys
stack = []
for word in sys.stdin.read().split():
    if word in "+-*":
        b, a = stack.pop(), stack.pop()
        stack.append({"+": a + b, "-": a - b, "*": a * b}[word])
    else:
        stack.append(int(word))
print(*stack)
"""
BYTES = """\
import os
while data := os.read(0, 5): os.write(1, data.swapcase())
"""
CLASS = """
from dataclasses import dataclass, field
import sys
@dataclass(order=True)
class Person:
    age: int
    name: str = field(compare=False)
people = [Person(int(age), name) for name, age in map(str.split, sys.stdin)]
print(min(people).name, max(people).name)
"""
SIEVE = """
n = int(input())
prime = bytearray([1]) * (n + 1)
for p in range(2, int(n ** 0.5) + 1):
    if prime[p]: prime[p * p :: p] = bytes(len(prime[p * p :: p]))
print(sum(prime[2:]))
"""
ASYNC = """
import asyncio, sys
async def square(n): await asyncio.sleep(0); return n * n
async def main(): return await asyncio.gather(*map(square, map(int, sys.stdin)))
print(sum(asyncio.run(main())))
"""

PROBLEMS = {
    "add": Problem("print(sum(map(int, input().split())))", "sum", "max", [("2 3\n", "5\n")]),
    "even": Problem(
        "print(['even', 'odd'][int(input()) % 2])", "% 2", "% 4 % 2 ^ 1", [("4", "even")]
    ),
    "reverse": Problem("print(input()[::-1])", "::-1", "::", [("añb\n", "bña\n")]),
    "palindrome": Problem(
        dedent("""\
            t = input().lower()
            print(t == t[::-1])
        """),
        ".lower()",
        "",
        [("Anna", "True"), ("ab", "False")],
    ),
    "gcd": Problem(
        dedent("""\
            import math
            print(math.gcd(*map(int, input().split())))
        """),
        "gcd",
        "lcm",
        [("12 18", "6")],
    ),
    "factorial": Problem(
        dedent("""\
            n, p = int(input()), 1
            for i in range(2, n + 1): p *= i
            print(p)
        """),
        "n + 1",
        "n",
        [("0", "1"), ("25", "15511210043330985984000000")],
    ),
    "fibonacci": Problem(
        dedent("""\
            a, b = 0, 1
            for _ in range(int(input())): a, b = b, a + b
            print(a)
        """),
        "print(a)",
        "print(b)",
        [("0", "0"), ("90", "2880067194370816120")],
    ),
    "maximum": Problem(
        f"{NUMBERS}print(max(numbers))",
        "max",
        "min",
        [
            (
                dedent("""\
                    -3 -9
                    -4
                """),
                "-3",
            )
        ],
    ),
    "median": Problem(
        f"{NUMBERS}print(sorted(numbers)[len(numbers) // 2])", "sorted", "", [("9 1 5", "5")]
    ),
    "mean": Problem(
        f"{NUMBERS}print(sum(numbers) / len(numbers))", " / ", " // ", [("1 2 2", "1.66666667")]
    ),
    "root": Problem(
        "print(f'{float(input()) ** 0.5:.9f}')", "0.5", "0.4999", [("2", "1.414213562373")]
    ),
    "circle": Problem(
        dedent("""\
            import math
            print(math.pi * float(input()) ** 2)
        """),
        "math.pi",
        "3.1415",
        [("1e3", "3141592.65359")],
    ),
    "sort": Problem(
        f"{NUMBERS}print(*sorted(numbers))", "sorted", "reversed", [("3 1 2", "1 2 3")]
    ),
    "unique": Problem(
        f"{NUMBERS}print(*dict.fromkeys(numbers))",
        "dict.fromkeys",
        "set",
        [("7 1 7 5 1 70 1", "7 1 5 70")],
    ),
    "running": Problem(
        f"{NUMBERS}import itertools\nprint(*itertools.accumulate(numbers), sep='\\n')",
        "accumulate(numbers)",
        "numbers",
        [("1 2 3", "1\n3\n6\n")],
    ),
    "words": Problem(
        dedent("""\
            import sys
            print(len(sys.stdin.read().split()))
        """),
        "split()",
        "split(' ')",
        [("a b\n\nc\n", "3")],
    ),
    "lines": Problem(
        dedent("""\
            import sys
            print(len(list(sys.stdin)))
        """),
        "list",
        "''.join",
        [("a\nbc\nd", "3"), ("", "0")],
    ),
    "letters": Problem(
        dedent("""\
            from collections import Counter
            c = Counter(input())
            for k in sorted(c): print(k, c[k])
        """),
        "sorted(c)",
        "c",
        [("banana", "a 3\nb 1\nn 2\n")],
    ),
    "caesar": Problem(
        dedent("""\
            k = int(input())
            print(''.join(chr((ord(c) - 97 + k) % 26 + 97) for c in input()))
        """),
        " % 26",
        "",
        [("3\nxyz", "abc")],
    ),
    "binary": Problem("print(f'{int(input()):b}')", ":b", ":o", [("10", "1010")]),
    "hexadecimal": Problem("print(int(input(), 16))", "16", "36", [("ff", "255")]),
    "roman": Problem(ROMAN, '(9, "IX"), ', "", [("19", "XIX")]),
    "brackets": Problem(
        BRACKETS, " and not open_ones", "", [("([])", "yes"), ("((", "no"), ("(]", "no")]
    ),
    "postfix": Problem(STACK, "a - b", "b - a", [("7 2 - 3 *", "15")]),
    "matrix": Problem(
        dedent("""\
            rows = [input().split() for _ in range(2)]
            for row in zip(*rows): print(*row)
        """),
        "zip(*rows)",
        "rows",
        [("1 2 3\n4 5 6", "1 4\n2 5\n3 6")],
    ),
    "pascal": Problem(
        dedent("""\
            row = [1]
            for _ in range(int(input())):
                print(*row)
                row = [a + b for a, b in zip([0, *row], [*row, 0])]
        """),
        "    print(*row)\n    row",
        "    row",
        [("3", "1\n1 1\n1 2 1")],
    ),
    "josephus": Problem(
        dedent("""\
            n, k = map(int, input().split())
            r = 0
            for i in range(1, n): r = (r + k) % -~i
            print(r + 1)
        """),
        "r + 1)",
        "r)",
        [("7 3", "4")],
    ),
    "primes": Problem(SIEVE, "range(2, int", "range(3, int", [("30", "10")]),
    "queens": Problem(QUEENS, " and abs(c - d) != row - r", "", [("6", "4")]),
    "subsequence": Problem(
        LCS, "last + 1", "best[j - 1] + 1", [("a\naa", "1"), ("aaab\naxb", "2")]
    ),
    "rising": Problem(
        f"{NUMBERS}{RISING}",
        "i = bisect_left(t, n)",
        "i = len(t)",
        [("3 1 2 9 4", "3")],
    ),
    "knapsack": Problem(
        dedent("""\
            size, *items = [tuple(map(int, line.split())) for line in open(0)]
            best = [0] * (size[0] + 1)
            for w, v in items:
                for s in range(size[0], w - 1, -1): best[s] = max(best[s], best[s - w] + v)
            print(best[-1])
        """),
        "range(size[0], w - 1, -1)",
        "range(w, size[0] + 1)",
        [("10\n5 10\n4 40\n6 30\n3 50\n", "90"), ("9\n3 5\n", "5")],
    ),
    "maze": Problem(
        GRID,
        "+ 1\n            queue",
        "+ 2\n            queue",
        [("..#\n#..\n##.", "4"), (".#\n#.", "-1")],
    ),
    "roads": Problem(DIJKSTRA, "d + w", "w", [("4 3\n0 1 5\n1 2 7\n0 2 20", "0 5 12 -")]),
    "islands": Problem(
        UNION,
        "{root(a) for a in range(n)}",
        "set(parent)",
        [("5\n0 1\n2 1\n0 2\n3 4\n1 3", "1"), ("3", "3")],
    ),
    "deep": Problem(DEEP, "1 + depth", "depth", [("50000", "50000")]),
    "large": Problem(
        "print(pow(*map(int, input().split())))",
        "split()",
        "split()[:2]",
        [("3 200 1000007", str(pow(3, 200, 1000007)))],
    ),
    "bytes": Problem(BYTES, "swapcase", "lower", [("Hello, World\n", "hELLO, wORLD\n")]),
    "people": Problem(
        CLASS,
        "min(people).name, max",
        "max(people).name, min",
        [("ann 30\nbob 4\ncyd 71\n", "bob cyd")],
    ),
    "squares": Problem(ASYNC, "n * n", "n + n", [("3\n4\n5\n", "50")]),
}
