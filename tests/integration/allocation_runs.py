"""Single runs of `vernal` in which an allocation fails, for allocation_test.py. Each ends within its limits."""
import dataclasses
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time


@dataclasses.dataclass
class RunLimits:
    start_s: float   # until a server is ready
    answer_s: float  # for one answer
    end_s: float     # from SIGTERM to the end
    in_a_row: int    # allocations that fail; 0: from then on all


@dataclasses.dataclass
class Outcome:
    status: int | None  # of the process; None: it had to be killed
    stderr: str
    problem: str | None = None
    answers: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        if self.problem is None:
            self.problem = self.judge()

    @property
    def has_broken_down(self):
        """Whether it ended in a way that is none of the program's own."""
        return self.status is not None and self.status not in (0, 1)

    def judge(self):
        if self.has_broken_down:
            return f"ends by {signal.Signals(-self.status).name}" if self.status < 0 else f"exit status {self.status}"
        if self.status == 1 and not self.stderr.strip():
            return "ends without a message"
        return None

    def summary(self):
        """One line for the table of outcomes."""
        if self.problem:
            return self.problem.splitlines()[0]
        answers = f", requests: {', '.join(self.answers)}" if self.answers else ""
        return ("goes on" if self.status == 0 else "ends with a message") + answers


def run_command(vernal, deployment, environment, limits):
    process = subprocess.Popen([vernal, "run", deployment, "-p", "Hello", "-n", "3"], env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, stderr = process.communicate(timeout=limits.start_s + limits.end_s)
        return Outcome(process.returncode, stderr.decode(errors="replace"))
    except subprocess.TimeoutExpired:
        stacks = stacks_of(process)
        process.kill()
        _, stderr = process.communicate()
        return Outcome(None, stderr.decode(errors="replace"), f"hangs\n{stacks}")


def run_server(vernal, deployment, environment, limits):
    process = subprocess.Popen([vernal, "serve", deployment], env=environment, stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    server = Server(process)
    try:
        return server.run(limits)
    finally:
        process.kill()
        process.wait()
        server.reader.join()


class Server:
    """One server process from its start to its end."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.is_ready = threading.Event()  # or says no more
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace"))
            if "ready after" in self.lines[-1]:
                self.is_ready.set()
        self.is_ready.set()

    def run(self, limits):
        if not self.wait_until_ready(limits):
            return self.outcome(f"is not ready after {limits.start_s} s\n{stacks_of(self.process)}")
        if not self.is_up():
            return self.outcome(None)
        port = listening_port(self.process.pid)
        answers = [self.ask(port, limits.answer_s) for _ in range(2)] if port else []
        while port and self.is_up() and "answered" not in answers and len(answers) <= limits.in_a_row:
            answers.append(self.ask(port, limits.answer_s))
        problem = None
        if "hangs" in answers:
            problem = f"an answer does not come within {limits.answer_s} s\n{stacks_of(self.process)}"
        elif limits.in_a_row > 0 and "answered" not in answers and self.is_up(patience_s=1):
            problem = f"serves no more: {', '.join(answers) or 'does not listen'}"
        return self.end(limits.end_s, answers, problem)

    def wait_until_ready(self, limits):
        """The line that says so may be what the lost memory was for, so a server that is silent is asked."""
        until = time.monotonic() + limits.start_s
        while time.monotonic() < until:
            if self.is_ready.wait(2):
                return True
            port = listening_port(self.process.pid)
            if port and (limits.in_a_row == 0 or is_healthy(port)):
                return True
        return False

    def is_up(self, patience_s=0):
        """False: it has closed its output, so it ends, and is waited for."""
        self.reader.join(patience_s)
        if not self.reader.is_alive():
            self.process.wait()
        return self.process.poll() is None

    def end(self, limit_s, answers, problem):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            ended = f"does not end within {limit_s} s of SIGTERM\n{stacks_of(self.process)}"
            problem = f"{problem}; {ended}" if problem else ended
        return self.outcome(problem, answers)

    def outcome(self, problem, answers=()):
        status = self.process.poll()
        if status is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        return Outcome(status, "".join(self.lines), problem, list(answers))

    def ask(self, port, limit_s):
        """What came of a streamed request: answered, refused, cut off, hangs."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3, "stream": True}
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                return f"refused with {response.status}" if b'"error"' in text else f"status {response.status} without a reason"
            if b'"error"' in text:
                return "failed in the stream"
            return "answered" if b"[DONE]" in text else "cut off"
        except TimeoutError:
            return "hangs"
        except (OSError, http.client.HTTPException):
            return "cut off"
        finally:
            connection.close()


def listening_port(pid):
    """Where a process listens, told by the kernel. 0: nowhere."""
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table]
    except OSError:
        return 0
    sockets = {match.group(1) for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
    ports = [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in sockets]
    return ports[0] if ports else 0


def is_healthy(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stacks_of(process):
    """Of all threads of a process that hangs, if there is a debugger."""
    if not shutil.which("gdb") or process.poll() is not None:
        return ""
    command = ["gdb", "-p", str(process.pid), "-batch", "-ex", "thread apply all bt 24"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return found.stdout[found.stdout.find("\nThread ") + 1:]
