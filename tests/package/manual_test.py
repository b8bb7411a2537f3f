# SPDX-License-Identifier: Apache-2.0
"""The manual pages and the completion name the verbs and options that the programs have: those, and no others.

usage: manual_test.py SHMRING SHMRING_FLUSHER
"""

import pathlib
import re
import subprocess
import sys
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
COMMON = {"--help", "--version"}


def help_of(*command):
    return subprocess.run([*command, "--help"], text=True, capture_output=True, check=True).stdout


def options_of(*command):
    """The long options of a command and of the verbs below it."""
    options = set(re.findall(r"^\s+(?:-\w,\s*)?(--[a-z][a-z-]+)", help_of(*command), re.MULTILINE)) - COMMON
    return options.union(*(options_of(*command, verb) for verb in verbs_of(*command)))


def verbs_of(*command):
    after = re.split(r"^subcommands:$", help_of(*command), flags=re.MULTILINE | re.IGNORECASE)
    return set(re.findall(r"^  ([a-z]+)\b", after[1], re.MULTILINE)) if len(after) > 1 else set()


def manual(name):
    return (PACKAGING / "man" / f"{name}.1").read_text().replace("\\-", "-")


def options_in_manual(name):
    """The three signals are one there: --<signal>-endpoint stands for --logs-endpoint and two more."""
    options = set()
    for option in re.findall(r"(?<![\w-])--(?:<signal>-)?[a-z][a-z-]+", manual(name).split(".SH EXAMPLES")[0]):
        options.update(option.replace("<signal>", signal) for signal in ("logs", "traces", "metrics"))
    return options - COMMON


def completed(function, *words):
    """What bash offers for the last of the words."""
    program, current, previous = words[0], words[-1], words[-2]
    script = f'. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {function} {program} "{current}" "{previous}"'
    script += '; printf "%s\\n" "${COMPREPLY[@]}"'
    arguments = ["bash", "-c", script, str(PACKAGING / "completion" / program), *words]
    return set(subprocess.run(arguments, text=True, capture_output=True, check=True).stdout.split()) - COMMON


class Manual(unittest.TestCase):
    def setUp(self):
        self.verbs = verbs_of(SHMRING)
        self.assertIn("status", self.verbs)

    def test_describes_every_verb(self):
        for verb in self.verbs:
            self.assertRegex(manual("shmring"), rf'(?m)^\.BR? "?{verb}\b', f"shmring.1 does not describe {verb}")

    def test_describes_every_option_of_every_verb_and_no_other(self):
        options = set().union(*(options_of(SHMRING, verb) for verb in self.verbs))
        self.assertEqual(options_in_manual("shmring"), options)

    def test_describes_every_option_of_the_flusher_and_no_other(self):
        self.assertEqual(options_in_manual("shmring-flusher"), options_of(FLUSHER))


class Completion(unittest.TestCase):
    def test_offers_every_verb(self):
        self.assertEqual(completed("_shmring", "shmring", ""), verbs_of(SHMRING))

    def test_offers_the_options_of_each_verb(self):
        for verb in verbs_of(SHMRING) - {"flusher"}:
            offered = completed("_shmring", "shmring", verb, "--") - {"--"}
            self.assertEqual(offered, options_of(SHMRING, verb), f"options of {verb}")

    def test_offers_what_stands_below_the_verb_flusher(self):
        verbs = verbs_of(SHMRING, "flusher")
        self.assertEqual(completed("_shmring", "shmring", "flusher", ""), verbs)
        for verb in verbs:
            offered = completed("_shmring", "shmring", "flusher", verb, "--")
            self.assertEqual(offered, options_of(SHMRING, "flusher", verb), f"options of flusher {verb}")

    def test_offers_the_options_of_the_flusher(self):
        self.assertEqual(completed("_shmring_flusher", "shmring-flusher", "--"), options_of(FLUSHER))


if __name__ == "__main__":
    SHMRING, FLUSHER = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
