# SPDX-License-Identifier: Apache-2.0
"""An environment with what requirements.txt names, from PyPI, made once beside the build, by the test python.environment before those that run in it.
Where PyPI cannot be reached they are skipped."""

import fcntl
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

WANTED = pathlib.Path(__file__).resolve().parent / "requirements.txt"
ABLE = "import venv, pip; assert tuple(map(int, pip.__version__.split('.')[:2])) >= (22, 3)"  # from there on it installs for another python


def able_python():
    """The first python3 that makes environments and has a pip for them; None where there is none."""
    for python in [sys.executable, *(os.path.join(folder, "python3") for folder in os.get_exec_path())]:
        if os.access(python, os.X_OK) and subprocess.run([python, "-c", ABLE], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def complete(folder):
    installed = folder / "installed"
    return installed.exists() and filecmp.cmp(WANTED, installed, shallow=False)


def fill(folder):
    """Why it cannot be made; None once it is there."""
    shutil.rmtree(folder, ignore_errors=True)
    base = able_python()
    if base is None:
        return "no python3 here has venv and pip 22.3 or later (scripts/bootstrap.sh --test installs them)"
    # Without a pip of its own, and with nothing compiled that no test imports: half the time.
    for command in ([base, "-m", "venv", "--without-pip", folder],
                    [base, "-m", "pip", "--python", folder / "bin/python", "install", "-q", "--disable-pip-version-check", "--no-compile",
                     "--retries", "1", "-r", WANTED]):  # how long it waits is as this machine's pip is configured
        try:
            result = subprocess.run([str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if result.returncode != 0:
            return f"requirements.txt cannot be installed here: {(result.stdout.splitlines() or [''])[-1]}"
    shutil.copy(WANTED, folder / "installed")
    return None


def make(folder):
    """0; 77, and a reason printed, where it cannot be made. One of several at a time makes it, the others find it made."""
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reason = None if complete(folder) else fill(folder)
    if reason is not None:
        print(f"skipped: {reason}")
    return 0 if reason is None else 77


def enter():
    """Goes on as the same program in that environment, or ends with 77: skipped."""
    folder = os.environ.get("SHMRING_OTEL_ENVIRONMENT")
    if folder is None or pathlib.Path(sys.prefix) == pathlib.Path(folder).resolve():
        return
    folder = pathlib.Path(folder).resolve()
    if not complete(folder):
        print("skipped: there is no environment with packages from PyPI; the test python.environment says why")
        sys.exit(77)
    sys.stdout.flush()
    python = str(folder / "bin/python")
    os.execv(python, [python, *sys.argv])


if __name__ == "__main__":
    sys.exit(make(pathlib.Path(sys.argv[1]).resolve()))
