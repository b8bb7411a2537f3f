# SPDX-License-Identifier: Apache-2.0
"""An environment with OpenTelemetry's SDK from PyPI, made once beside the build. Where PyPI cannot be reached, what needs it is skipped."""

import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

WANTED = pathlib.Path(__file__).resolve().parent / "requirements.txt"


def make(folder):
    """The environment's python; None, and a reason printed, where it cannot be made."""
    python, installed = folder / "bin/python", folder / "installed"
    if installed.exists() and filecmp.cmp(WANTED, installed, shallow=False):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    for command in ([sys.executable, "-m", "venv", folder],
                    [python, "-m", "pip", "install", "-q", "--retries", "1", "--timeout", "20", "-r", WANTED]):
        try:
            result = subprocess.run([str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"skipped: {error}")
            return None
        if result.returncode != 0:
            print(f"skipped: OpenTelemetry's SDK cannot be installed here: {(result.stdout.splitlines() or [''])[-1]}")
            return None
    shutil.copy(WANTED, installed)
    return python


def enter():
    """Goes on as the same program in that environment, or ends with 77: skipped."""
    folder = os.environ.get("SHMRING_OTEL_ENVIRONMENT")
    if folder is None or pathlib.Path(sys.prefix) == pathlib.Path(folder).resolve():
        return
    python = make(pathlib.Path(folder).resolve())
    if python is None:
        sys.exit(77)
    sys.stdout.flush()
    os.execv(python, [str(python), *sys.argv])


if __name__ == "__main__":
    sys.exit(0 if make(pathlib.Path(sys.argv[1]).resolve()) else 77)
