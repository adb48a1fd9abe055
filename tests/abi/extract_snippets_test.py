#!/usr/bin/env python3
"""extract_snippets_test.py TOOLS: the tool that does what a document says finds every way in which it may not be true."""
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

TOOL = pathlib.Path(sys.argv.pop(1)) / "extract_snippets.py"


def fenced(opening, *lines):
    return "\n".join([f"```{opening}", *lines, "```", ""])


class ExtractSnippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"

    def walk(self, *blocks, is_run=True, limit="60"):
        (self.folder / "guide.md").write_text("\n".join(blocks))
        command = [sys.executable, TOOL, *(["--run"] if is_run else []), "--limit", limit, self.out,
                   self.folder / "guide.md"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def assert_found(self, done, text):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stderr)

    def test_joins_the_parts_of_a_file(self):
        done = self.walk(fenced("c file=a/b.c", "int a;"), "text", fenced("c file=a/b.c", "int b;"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.out / "a/b.c").read_text(), "int a;\n\nint b;\n")

    def test_runs_commands_between_the_parts(self):
        done = self.walk(fenced("text file=a", "one"), fenced("sh run", "wc -l < a"), fenced("text prints", "1"),
                         fenced("text file=a", "two"), fenced("sh run", "wc -l < a"), fenced("text prints", "3"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_runs_nothing_unless_asked(self):
        done = self.walk(fenced("sh run", "false"), is_run=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_walks_a_chapter_where_it_is_named(self):
        (self.folder / "chapter.md").write_text(fenced("text file=a", "two"))
        done = self.walk(fenced("text file=a", "one"), "<!-- walk chapter.md -->", "", fenced("text file=a", "three"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.out / "a").read_text(), "one\n\ntwo\n\nthree\n")

    def test_leaves_other_blocks_alone(self):
        done = self.walk(fenced("sh", "false"), fenced("", "false"), fenced("sh run", "true"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_names_every_block_it_comes_to(self):
        done = self.walk(fenced("text file=a", "one"), fenced("sh run", "cat a"), fenced("text prints", "one"))
        self.assertEqual(re.findall(r"^== .*guide\.md:(\d+)$", done.stdout, re.MULTILINE), ["1", "5", "9"], done.stdout)

    def test_refuses_a_fence_it_does_not_understand(self):
        for fence in ("  ```sh run", "~~~sh run", "> ```sh run", "````sh run", "``` sh run", "```c++ file=a"):
            self.assert_found(self.walk(fence, "true", "```"), "guide.md:1: expected ```LANGUAGE at the start of the line")

    def test_refuses_an_end_it_does_not_understand(self):
        for end in ("  ```", "```sh run", "````"):
            self.assert_found(self.walk("```sh run", "true", end, "```"), "guide.md:3: expected ``` alone at the end")

    def test_refuses_a_comment_that_names_no_chapter(self):
        for comment in ("<!-- walk: chapter.md -->", "<!--walk chapter.md-->", " <!-- walk chapter.md -->", "<!-- wlak a -->"):
            self.assert_found(self.walk(comment, fenced("sh run", "true")), "guide.md:1: expected <!-- walk FILE --> alone")

    def test_refuses_a_document_without_blocks(self):
        self.assert_found(self.walk("words", fenced("sh", "true")), "guide.md: expected blocks marked")
        (self.folder / "chapter.md").write_text("words\n")
        self.assert_found(self.walk(fenced("sh run", "true"), "<!-- walk chapter.md -->"), "chapter.md: expected blocks")

    def test_refuses_a_chapter_of_itself(self):
        self.assert_found(self.walk("<!-- walk guide.md -->", fenced("sh run", "true")), "a chapter of itself")

    def test_ends_what_the_commands_leave_running(self):
        # The first holds the output open, so that the commands have no end; the second does not.
        left = self.walk(fenced("sh run", "sleep 1000 &", "echo $! > pid"), limit="1")
        self.assert_found(left, "guide.md:1: expected an end of all it starts within 1 s")
        self.assert_ends()
        left = self.walk(fenced("sh run", "sleep 1000 > log 2>&1 &", "echo $! > pid"))
        self.assertEqual(left.returncode, 0, left.stderr)
        self.assert_ends()

    def assert_ends(self):
        """The process whose id lies in the file "pid" is gone, or will be in an instant."""
        status = pathlib.Path("/proc", (self.out / "pid").read_text().strip(), "status")
        for _ in range(500):
            try:
                if "\nState:\tZ" in status.read_text():
                    return  # dead, and whoever inherited it has not asked for its status yet
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(0.01)
        self.fail(f"{status} is there after 5 s")

    def test_finds_a_command_that_fails(self):
        self.assert_found(self.walk(fenced("sh run", "false", "true")), "guide.md:1: expected success, found exit status 1")

    def test_finds_a_command_that_should_fail(self):
        self.assert_found(self.walk(fenced("sh fails", "echo why"), fenced("text prints", "why")),
                          "guide.md:1: expected a failure, found exit status 0")

    def test_finds_a_failure_without_its_text(self):
        self.assert_found(self.walk(fenced("sh fails", "false")), "what its commands print must follow")

    def test_finds_another_output(self):
        self.assert_found(self.walk(fenced("sh run", "echo one"), fenced("text prints", "two")), "do not print")

    def test_finds_another_order(self):
        self.assert_found(self.walk(fenced("sh run", "echo one; echo two"), fenced("text prints", "two", "one")), "one")

    def test_compares_whole_lines_with_dots_for_any_text(self):
        commands = fenced("sh run", "echo 'error: 12 of 13 (a+b)'")
        self.assertEqual(self.walk(commands, fenced("text prints", "error: ... of 13 (a+b)")).returncode, 0)
        self.assert_found(self.walk(commands, fenced("text prints", "12 of 13")), "do not print")

    def test_refuses_a_mark_it_does_not_know(self):
        self.assert_found(self.walk(fenced("sh runs", "true")), "guide.md:1: expected file=NAME, run, fails or prints")

    def test_refuses_a_file_outside(self):
        self.assert_found(self.walk(fenced("c file=../a.c", "int a;")), "inside the folder")

    def test_refuses_a_block_without_an_end(self):
        self.assert_found(self.walk("```sh run", "true"), "has no end")


if __name__ == "__main__":
    unittest.main()
