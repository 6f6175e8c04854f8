"""Against a running server: DURE_URL and DURE_TOKEN (or DURE_DATA) say which. Skipped without one."""

import os
import sys
import threading
import time
import unittest
import uuid

import dure


def add(a, b=1):
    print("adding", a, b)
    return a + b


def slow(seconds):
    for second in range(int(seconds * 10)):
        print(second, flush=True)
        time.sleep(0.1)
    return seconds


class OutOfLuck(Exception):
    pass


def fail(kind):
    raise {"value": ValueError, "own": OutOfLuck}[kind]("no luck")


@unittest.skipUnless(os.environ.get("DURE_URL") or os.environ.get("DURE_DATA"), "no server: set DURE_URL and DURE_TOKEN, or DURE_DATA")
class Server(unittest.TestCase):
    def test_a_submitted_function_gives_its_result_state_logs_and_attempts(self):
        job = dure.submit(add, 1, b=2)
        self.assertEqual(job.result(timeout=60), 3)
        self.assertEqual((job.status(), job.logs()), ("SUCCESS", "adding 1 2\n"))
        self.assertEqual([(a["attempt"], a["outcome"]) for a in job.attempts], [(1, "success")])

    def test_the_second_submit_deploys_nothing_and_a_changed_function_does(self):
        def versions():
            return len(dure.connect().json("GET", "/api/functions/client-test-again/versions")["items"])

        def give(value):
            return dure.Remote(lambda: value, name="client-test-again").submit().result(timeout=60)
        value = uuid.uuid4().hex
        self.assertEqual(give(value), value)
        before = versions()
        self.assertEqual(give(value), value)
        dure.connect().deployed.clear()  # as in a new process
        self.assertEqual((give(value), versions()), (value, before))
        self.assertEqual((give(value + "!"), versions()), (value + "!", before + 1))

    def test_an_exception_comes_back_as_its_own_type_with_the_remote_stack(self):
        with self.assertRaises(ValueError) as failed:
            dure.submit(fail, "value").result(timeout=60)
        self.assertIsInstance(failed.exception, dure.RemoteError)
        self.assertRegex(str(failed.exception), r'(?s)no luck.*test_server\.py", line \d+, in fail')
        with self.assertRaises(OutOfLuck):
            dure.submit(fail, "own").result(timeout=60)

    def test_a_map_gives_results_in_order_and_as_they_end(self):
        batch = dure.map(add, range(25))
        self.assertEqual(list(batch), list(range(1, 26)))
        self.assertEqual(sorted(index for index, _ in batch.as_completed()), list(range(25)))
        self.assertEqual({job.result() - index for index, job in batch.as_completed()}, {1})

    def test_logs_can_be_followed_while_it_runs(self):
        job = dure.submit(slow, 1.0)
        self.assertEqual(list(job.logs(follow=True)), [str(n) for n in range(10)])
        self.assertEqual(job.result(timeout=60), 1.0)

    def test_waiting_has_a_limit_and_cancelling_ends_it(self):
        job = dure.submit(slow, 60)
        start = time.monotonic()
        with self.assertRaises(TimeoutError):
            job.result(timeout=0.5)
        self.assertLess(time.monotonic() - start, 3)
        threading.Timer(0.2, job.cancel).start()
        with self.assertRaises(dure.Cancelled):
            job.result(timeout=30)
        self.assertFalse(job.cancel())

    def test_large_arguments_and_results_travel(self):
        data = os.urandom(3 << 20)
        self.assertEqual(dure.Remote(lambda d: d[::-1], name="client-test-large").submit(data).result(timeout=60), data[::-1])

    def test_a_function_by_name_takes_json_and_a_key_never_runs_twice(self):
        named = dure.Remote(add, name="client-test-add")
        named.submit(1).result(timeout=60)
        function = dure.function("client-test-add")
        self.assertEqual(function.invoke({"args": [5], "kwargs": {"b": 6}}), 11)
        key = uuid.uuid4().hex
        first, second = (function.submit({"args": [7]}, key=key) for _ in range(2))
        self.assertEqual((first.id, first.result(timeout=60)), (second.id, 8))
        self.assertEqual(list(function.map([{"args": [n]} for n in range(3)])), [1, 2, 3])
        with self.assertRaises(dure.RemoteError):
            function.invoke({"args": ["x"]})

    def test_what_the_server_refuses_has_an_id(self):
        with self.assertRaises(dure.DureError) as refused:
            dure.function("there-is-no-such-function").invoke({})
        self.assertEqual((refused.exception.id, refused.exception.status), ("DURE0200", 404))
        with self.assertRaises(dure.DureError) as refused:
            dure.remote(memory="much")(add).submit(1)
        self.assertIn("memory", str(refused.exception))

    def test_many_threads_may_use_one_client(self):
        results = []
        threads = [threading.Thread(target=lambda n=n: results.append(dure.submit(add, n).result(timeout=60))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(results), list(range(1, 9)))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
