#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's example does what the README says: three logs, one of them a child's, and a span are in the ring."""

import json
import pathlib
import subprocess
import sys
import tempfile

quickstart, shmring = sys.argv[1:3]

with tempfile.TemporaryDirectory(prefix="shmring-quickstart-") as folder:
    ring = str(pathlib.Path(folder) / "q.ring")
    subprocess.run([quickstart, ring], check=True, timeout=60)
    status = subprocess.run([shmring, "status", ring, "--output", "json"], check=True, capture_output=True, timeout=60)
    signals = json.loads(status.stdout)["accounting"]["signals"]
    written = {name: signals[name]["written"] for name in ("logs", "traces")}
    assert written == {"logs": 3, "traces": 1}, written
    assert json.loads(status.stdout)["accounting"]["closes"] is True
    dump = subprocess.run([shmring, "dump", ring], check=True, capture_output=True, text=True, timeout=60).stdout
    for said in ("order placed", "asking the bank", "receipt printed", "charge card", "shop"):
        assert said in dump, f"{said!r} is not in: {dump}"
