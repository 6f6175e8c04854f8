"""What can be submitted: each case is packed in one process and run in another."""

import asyncio
import os
import textwrap
import unittest

import away
import dure


def of_a_module(x):
    """A function of an importable module of the caller's own: it travels as that module."""
    return of_a_module.__name__, x


class Packing(unittest.TestCase):
    def says(self, text, expected, *options):
        self.assertEqual(away.script(textwrap.dedent(text), *options).strip(), textwrap.dedent(expected).strip())

    def test_a_function_of_a_script_runs_elsewhere(self):
        self.says("""
            def add(a, b=2, *, c=3):
                return a + b + c
            print(call(add, 1), call(add, 1, 1, c=1))
            """, "6 3")

    def test_it_takes_along_the_functions_constants_and_modules_that_it_uses_and_no_others(self):
        self.says("""
            import math, threading, xml.dom.minidom
            scale = 10
            unused = threading.Lock()
            def helper(x):
                return math.floor(x) * scale
            def main(x):
                return helper(x), xml.dom.minidom.parseString("<a/>").documentElement.tagName
            print(call(main, 2.5))
            """, "(20, 'a')")

    def test_a_closure_keeps_its_values_and_may_call_itself(self):
        self.says("""
            def make(base):
                def power(n):
                    return 1 if n == 0 else base * power(n - 1)
                return power
            def even(n): return n == 0 or odd(n - 1)
            def odd(n): return n != 0 and even(n - 1)
            print(call(make(3), 4), call(lambda x: x + 1, 1), call(even, 10))
            """, "81 2 True")

    def test_functions_of_one_script_share_their_globals(self):
        self.says("""
            count = 0
            def bump():
                global count
                count += 1
            def main():
                bump(); bump()
                return count
            print(call(main), count)
            """, "2 0")

    def test_classes_of_a_script_travel_and_come_back_as_themselves(self):
        self.says("""
            import dataclasses, enum, functools, typing
            @dataclasses.dataclass(frozen=True)
            class Point:
                x: int
                y: int = 0
                tags: list = dataclasses.field(default_factory=list)
                def moved(self, by):
                    return dataclasses.replace(self, x=self.x + by)
            class Colour(enum.Enum):
                RED = "r"
                BLUE = "b"
                def shout(self):
                    return self.name + "!"
            class Pair(typing.NamedTuple):
                a: int
                b: int = 5
            class Base:
                def __init__(self, n):
                    self.n = n
                @property
                def double(self):
                    return self.n * 2
                @functools.cached_property
                def triple(self):
                    return self.n * 3
                @classmethod
                def make(cls, n):
                    return cls(n)
                @staticmethod
                def zero():
                    return 0
            class Derived(Base):
                __slots__ = ("extra",)
                def __init__(self, n):
                    super().__init__(n + 1)
                    self.extra = Colour.RED
            def main(point, colour):
                assert isinstance(point, Point) and colour is Colour.BLUE
                made = Derived.make(1)
                return point.moved(5), colour.shout(), Pair(1), made, made.double, made.triple, made.zero(), Point(1) == Point(1)
            moved, shout, pair, made, *rest = call(main, Point(1, 2), Colour.BLUE)
            print(moved == Point(6, 2), shout, pair == Pair(1, 5), type(made) is Derived, made.extra is Colour.RED, rest)
            """, "True BLUE! True True True [4, 6, 0, True]")

    def test_cached_functions_and_decorated_ones_travel(self):
        self.says("""
            import functools
            @functools.lru_cache(maxsize=None)
            def fib(n):
                return n if n < 2 else fib(n - 1) + fib(n - 2)
            @dure.remote(memory="1GiB")
            def main(n):
                return fib(n) if n > 0 else main(-n)
            print(main(3), call(main, -30))
            """, "2 832040")

    def test_a_notebook_or_a_pipe_has_no_file_and_still_packs(self):
        self.says("""
            class Thing:
                value = 4
            def main():
                return Thing().value
            print(call(main), dure.remote(main).name)
            """, "4 notebook-main", "-")

    def test_a_coroutine_is_awaited_and_a_generator_becomes_a_list(self):
        async def later(x):
            await asyncio.sleep(0)
            return x * 2

        def several(n):
            yield from range(n)
        self.assertEqual((away.call(later, 4), away.call(several, 3)), (8, [0, 1, 2]))

    def test_a_function_of_an_own_module_travels_as_that_module(self):
        self.assertEqual(away.call(of_a_module, 7), ("of_a_module", 7))
        self.assertIn("test_packing.py", dure.Remote(of_a_module)._files()[0])

    def test_included_files_and_requirements_lie_beside_the_handler(self):
        os.chdir(os.path.dirname(dure.__file__))
        files, _ = dure.Remote(len, requirements=["numpy==2.0"], include=["tests"])._files()
        self.assertEqual(files["requirements.txt"], b"numpy==2.0\n")
        self.assertIn("tests/away.py", files)
        with self.assertRaises(dure.PackError):
            dure.Remote(len, include=[".."])._files()

    def test_what_cannot_travel_is_named(self):
        with self.assertRaises(away.Failed) as failed:
            away.script("import threading\nlock = threading.Lock()\ndef main():\n    with lock:\n        pass\ncall(main)\n")
        self.assertRegex(str(failed.exception), "main uses `lock`, of type lock, which cannot be sent")
        with open(__file__) as file, self.assertRaisesRegex(dure.PackError, "an argument cannot be sent"):
            dure._pack(((file,), {}), what="an argument")

    def test_another_python_is_refused_with_what_to_do(self):
        with self.assertRaisesRegex(away.Failed, "was packed by Python 2.7, but functions run in Python .*: submit it from Python"):
            away.run(of_a_module, b"", packed_by="2.7")

    def test_json_from_elsewhere_is_answered_as_it_is(self):
        self.assertEqual(away.run(lambda a, b=1: {"sum": a + b}, b'{"args": [2], "kwargs": {"b": 3}}'), b"{'sum': 5}")

    def test_a_remote_stack_shows_the_lines_of_the_script(self):
        with self.assertRaises(away.Failed) as failed:
            away.script("def inner():\n    raise ValueError('no')  # here\ndef main():\n    inner()\ncall(main)\n")
        self.assertIn("raise ValueError('no')  # here", str(failed.exception).split("away.Failed")[-1])

    def test_the_same_function_packs_to_the_same_bytes_in_another_process(self):
        text = """
            import hashlib
            code = "def main(x):\\n    return [x, {'a': 1}, 'text', len('abc'), helper(x)]\\ndef helper(x):\\n    return lambda: x"
            exec(compile(code, "/tmp/ipykernel_%d/123.py", "exec"))
            files, _ = dure.Remote(main)._files()
            print(hashlib.sha256(files["packed.pickle"]).hexdigest())
            """
        first, second = (away.script(textwrap.dedent(text % kernel)) for kernel in (1, 2))
        self.assertEqual(first, second)


class Failures(unittest.TestCase):
    def test_a_remote_exception_is_also_of_its_own_type_and_shows_the_remote_stack(self):
        view = {"state": "FAILED", "error": {"error_type": "KeyError", "error_message": "'x'", "stack_trace": ['  File "/home/me/study.py", line 3, in main\n']}}
        error = dure._failure(view, {})
        self.assertIsInstance(error, KeyError)
        self.assertIsInstance(error, dure.RemoteError)
        self.assertIn("line 3, in main", str(error))
        self.assertEqual((error.error_type, error.error_message), ("KeyError", "'x'"))

    def test_exceptions_with_demanding_constructors_and_of_the_caller_are_recognised(self):
        class Mine(Exception):
            def __init__(self, a, b):
                super().__init__(a, b)
        told = {"state": "FAILED", "error": {"error_type": "UnicodeDecodeError", "error_message": "bad byte"}}
        self.assertIsInstance(dure._failure(told, {}), UnicodeDecodeError)
        self.assertIn("bad byte", str(dure._failure(told, {})))
        told["error"]["error_type"] = "Mine"
        self.assertIsInstance(dure._failure(told, {"Mine": Mine}), Mine)
        self.assertNotIsInstance(dure._failure(told, {}), Mine)

    def test_cancelled_and_lost_are_told_apart_from_errors_of_the_function(self):
        self.assertIsInstance(dure._failure({"state": "CANCELLED", "reason": "cancelled by me"}, {}), dure.Cancelled)
        lost = dure._failure({"state": "UNKNOWN", "function": "f", "reason": "worker-lost"}, {})
        self.assertNotIsInstance(lost, dure.RemoteError)
        self.assertIn("worker-lost", str(lost))

    def test_an_id_tells_when_it_was_made(self):
        digits, id = "0123456789abcdefghjkmnpqrstvwxyz", ""
        number = 1_700_000_000_000 << 21
        for _ in range(13):
            id, number = digits[number & 31] + id, number >> 5
        self.assertEqual(dure._made_at(id), "2023-11-14T22:13:20Z")

    def test_names_are_what_functions_may_be_called(self):
        self.assertEqual(dure._slug("Notebook-Train.<locals>.<lambda>"), "notebook-train-locals-lambda")
        self.assertLessEqual(len(dure._slug("x" * 200)), 63)


if __name__ == "__main__":
    unittest.main()
