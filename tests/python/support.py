# SPDX-License-Identifier: Apache-2.0
"""A ring of one's own for each test, and what `shmring dump` says is in it."""

import collections
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("SHMRING_PROGRAM", "shmring")


def plain(value):
    """An OTLP JSON value as Python has it."""
    if not value:
        return None
    (kind, inner), = value.items()
    if kind == "arrayValue":
        return [plain(each) for each in inner.get("values", [])]
    if kind == "kvlistValue":
        return attributes(inner.get("values", []))
    return int(inner) if kind == "intValue" else inner


def attributes(entries):
    return {entry["key"]: plain(entry.get("value")) for entry in entries}


def _int(digits):
    return -0.0 if digits == "-0" else int(digits)


def requests(path):
    output = subprocess.run([PROGRAM, "dump", str(path), "--format", "json"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line, parse_int=_int) for line in output.splitlines() if line]


def records(path, resource_key="resourceLogs", scope_key="scopeLogs", record_key="logRecords"):
    """(scope name, record) of each record in the ring."""
    found = []
    for request in requests(path):
        for resource in request.get(resource_key, []):
            for scope in resource[scope_key]:
                found += [(scope.get("scope", {}).get("name", ""), record) for record in scope[record_key]]
    return found


def writers(path, resource_key="resourceLogs"):
    """The processes that wrote to the ring, by their ids."""
    found = [resource["resource"]["attributes"] for request in requests(path) for resource in request.get(resource_key, [])]
    return {attributes(each)["process.pid"] for each in found}


def logs(path):
    return [record for _, record in records(path)]


def spans(path):
    return [record for _, record in records(path, "resourceSpans", "scopeSpans", "spans")]


def bodies(path):
    return [plain(record.get("body")) for record in logs(path)]


def eventually(condition, seconds=200):
    """Whether it becomes true; so late that it will not is later than any machine needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class RingTest(unittest.TestCase):
    """Its ring is at self.path; in /dev/shm, where rings live."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="shmring-test-", dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        self.path = str(pathlib.Path(folder.name) / "test.ring")

    def assert_bodies(self, expected, scope=None):
        """Each once, of one scope or of all. Of thousands that differ it shows some."""
        of_scope = [plain(record.get("body")) for name, record in records(self.path) if scope in (None, name)]
        expected, found = collections.Counter(expected), collections.Counter(of_scope)
        missing, besides = expected - found, found - expected
        self.assertFalse(missing or besides, f"missing: {sum(missing.values())}, besides: {sum(besides.values())}, such as "
                                             f"{list(missing)[:3]} and {list(besides)[:3]}")

    def only_log(self):
        found = logs(self.path)
        self.assertEqual(len(found), 1)
        return found[0]
