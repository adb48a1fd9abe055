#!/usr/bin/env python3
"""The process as operators meet it: serve, drain, console in a pipe, one deployment with two frontends.

  serve_process_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Needs the standard library alone. Every server listens on a free port of the loopback interface.
"""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

VERNAL, MODEL, BACKEND, PLUGINS, TEST_PLUGINS = (os.path.abspath(a) if "/" in a else a for a in sys.argv[1:6])
PROMPT = "Hello world, this is"
NUM_TOKENS = 24


def deployment(frontend: str, slots: int = 2) -> str:
    return f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
drain_timeout = "20s"
[backends.b]
plugin = "{BACKEND}"
[models.tiny]
path = "{MODEL}"
backend = "b"
context_length = 1024
slots = {slots}
sampling = {{ temperature = 0.0 }}
{frontend}
"""


HTTP = '[frontends.http]\nplugin = "openai_http"\nlisten = "127.0.0.1:0"\n'
CONSOLE = f'[frontends.console]\nplugin = "stdin_repl"\nmodel = "tiny"\nmax_tokens = {NUM_TOKENS}\n'


class Server:
    """`vernal serve` on a deployment, stopped at the end of a with block."""

    def __init__(self, text: str, waits_for_models: bool = True, before_start=None):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False)
        self.file.write(text)
        self.file.close()
        self.lines = []
        self.process = subprocess.Popen([VERNAL, "serve", self.file.name], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=before_start)
        self.port = 0
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()

        self.waits_for_models = waits_for_models

    def __enter__(self):
        assert self.port, "".join(self.lines)
        if self.waits_for_models:
            self.wait_for_models()
        return self

    def wait_for_models(self):
        self.wait_until(lambda: self.answer("GET", "/health")[0] == 200)

    def wait_for_tiny(self):
        """Waits for the first model, whatever the others do."""
        self.wait_until(lambda: self.answer("GET", "/v1/models/tiny")[2]["meta"]["state"] != "loading")

    def wait_until(self, is_so):
        limit = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < limit, "".join(self.lines)
            time.sleep(0.01)

    def logged_requests(self):
        """The members of each event "request" in the log."""
        events = [line.split(": request ", 1)[1] for line in self.lines if ": request " in line]
        return [{key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', event)}
                for event in events]

    def answer(self, method, path, body=None):
        """Status, headers and document of the answer."""
        connection, response = self.request(method, path, body)
        document = json.loads(response.read())
        connection.close()
        return response.status, response.headers, document

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        os.unlink(self.file.name)

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        return connection, connection.getresponse()

    def chat(self, **more):
        body = {"model": "tiny", "messages": [{"role": "user", "content": PROMPT}],
                "max_tokens": NUM_TOKENS, "temperature": 0, **more}
        connection, response = self.request("POST", "/v1/chat/completions", body)
        answer = json.loads(response.read())
        connection.close()
        assert response.status == 200, answer
        return answer


class Process(unittest.TestCase):
    def test_sigterm_lets_a_running_stream_finish_and_exits_with_0(self):
        with Server(deployment(HTTP)) as server:
            body = {"model": "tiny", "messages": [{"role": "user", "content": PROMPT}],
                    "max_tokens": 200, "stream": True}
            connection, response = server.request("POST", "/v1/chat/completions", body)
            first = response.readline()
            self.assertTrue(first.startswith(b"data:"), first)
            server.process.send_signal(signal.SIGTERM)
            rest = response.read().decode(errors="replace")
            self.assertTrue(rest.rstrip().endswith("data: [DONE]"), rest[-200:])
            connection.close()
            self.assertEqual(server.process.wait(30), 0)

    def test_a_second_sigterm_ends_at_once(self):
        with Server(deployment(HTTP)) as server:
            body = {"model": "tiny", "prompt": PROMPT, "max_tokens": 900, "stream": True}
            connection, response = server.request("POST", "/v1/completions", body)
            response.readline()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(15), 0)
            connection.close()

    def test_sighup_is_logged_and_ends_nothing(self):
        def under_nohup():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        for before_start in (None, under_nohup):
            with self.subTest(nohup=before_start is not None), \
                    Server(deployment(HTTP), before_start=before_start) as server:
                server.process.send_signal(signal.SIGHUP)
                server.wait_until(lambda: any("SIGHUP" in line for line in server.lines))
                self.assertTrue(server.chat()["choices"][0]["message"]["content"])
                server.process.send_signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(30), 0)

    def test_sighup_ends_nothing_while_a_model_loads(self):
        with tempfile.TemporaryDirectory() as folder, \
                Server(self.with_slow_model(folder + "/loaded"), waits_for_models=False) as server:
            server.wait_for_tiny()
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda: any("SIGHUP" in line for line in server.lines))
            open(folder + "/loaded", "w").close()
            server.wait_for_models()

    def test_the_log_is_json_if_the_deployment_says_so(self):
        text = deployment(HTTP).replace("[runtime]", '[runtime]\nlog_format = "json"')
        with Server(text) as server:
            server.chat()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(30), 0)
            server.reader.join()
            lines = [json.loads(line) for line in server.lines]
        self.assertTrue(any("listening on" in line.get("message", "") for line in lines), lines)
        for line in lines:
            self.assertLessEqual({"time", "level", "component"}, set(line))

    def test_requests_leave_no_thread_and_no_descriptor_behind(self):
        with Server(deployment(HTTP)) as server:
            def counts():
                base = f"/proc/{server.process.pid}"
                return len(os.listdir(base + "/task")), len(os.listdir(base + "/fd"))

            server.chat()
            time.sleep(0.3)
            before = counts()
            threads = [threading.Thread(target=server.chat) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for _ in range(50):
                if counts() == before:
                    break
                time.sleep(0.1)
            self.assertEqual(counts(), before)

    def test_http_and_console_give_the_same_greedy_answer(self):
        with Server(deployment(HTTP)) as server:
            over_http = server.chat()["choices"][0]["message"]["content"]
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(deployment(CONSOLE))
            file.flush()
            piped = subprocess.run([VERNAL, "serve", file.name], input=PROMPT, capture_output=True,
                                   text=True, timeout=60)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertEqual(piped.stdout.rstrip("\n"), over_http.rstrip("\n"))

    def test_every_request_leaves_one_line_in_the_log(self):
        with Server(deployment(HTTP)) as server:
            answer = server.chat()
            connection, response = server.request("POST", "/v1/completions", {
                "model": "tiny", "prompt": PROMPT, "max_tokens": 900, "stream": True})
            for _ in range(6):
                self.assertTrue(response.readline())
            response.close()
            connection.close()
            server.wait_until(lambda: len(server.logged_requests()) == 2)
            server.answer("POST", "/v1/completions", {"model": "tiny", "prompt": "a", "max_tokens": 1.5})
            server.wait_until(lambda: len(server.logged_requests()) == 3)
            whole, abandoned, refused = server.logged_requests()
        self.assertEqual((whole["status"], whole["model"], whole["finish"]), ("200", "tiny", "length"))
        self.assertEqual(whole["endpoint"], "POST /v1/chat/completions")
        self.assertEqual(int(whole["prompt_tokens"]), answer["usage"]["prompt_tokens"])
        self.assertEqual(int(whole["generated_tokens"]), NUM_TOKENS)
        self.assertAlmostEqual(float(whole["decode_ms"]), answer["timings"]["predicted_ms"], delta=0.1)
        self.assertEqual((abandoned["status"], abandoned["error"], abandoned["stream"]), ("200", "client_left", "true"))
        self.assertTrue(0 < int(abandoned["generated_tokens"]) < 900, abandoned)
        self.assertGreater(float(abandoned["decode_ms"]), 0)
        self.assertEqual((refused["status"], refused["error"]), ("400", "invalid_value"))

    def test_pages_of_strangers_do_not_reach_it(self):
        frontend = HTTP + 'cors_origins = ["http://trusted.example"]\nhosts = ["vernal.lan"]\n'
        body = {"model": "tiny", "prompt": "a", "max_tokens": 1}
        with Server(deployment(frontend)) as server:
            def status(**headers):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                connection.request("POST", "/v1/completions", json.dumps(body),
                                   {name.replace("_", "-"): value for name, value in headers.items()})
                answer = connection.getresponse().status
                connection.close()
                return answer

            page = {"Origin": "http://trusted.example", "Content_Type": "application/json"}
            self.assertEqual(status(), 200)
            self.assertEqual(status(**page), 200)
            self.assertEqual(status(**{**page, "Origin": "http://stranger.example"}), 403)
            self.assertEqual(status(**{**page, "Content_Type": "text/plain"}), 415)
            self.assertEqual(status(Host="vernal.lan:8080"), 200)
            self.assertEqual(status(Host="stranger.example"), 403)

    def test_figures_of_a_short_answer_are_those_of_the_machine(self):
        with Server(deployment(HTTP)) as server:
            self.assertEqual(server.chat(max_tokens=1)["timings"]["predicted_per_second"], 0)
            timings = server.chat()["timings"]
            self.assertAlmostEqual(timings["predicted_per_second"],
                                   (NUM_TOKENS - 1) / timings["predicted_ms"] * 1000, places=3)
            self.assertEqual(timings["predicted_n"], NUM_TOKENS)

    def test_an_overflow_names_what_was_sent(self):
        with Server(deployment(HTTP)) as server:
            text = "word " * 3000
            for path, member, body in (
                    ("/v1/completions", "prompt", {"prompt": text}),
                    ("/v1/chat/completions", "messages", {"messages": [{"role": "user", "content": text}]})):
                status, _, refused = server.answer("POST", path, {"model": "tiny", **body})
                self.assertEqual((status, refused["error"]["code"]), (400, "context_length_exceeded"))
                self.assertEqual(refused["error"]["param"], member)
                self.assertRegex(refused["error"]["message"],
                                 rf"^This model's maximum context length is 1024 tokens\. However, your {member} "
                                 rf"resulted in \d+ tokens\. Please reduce the length of the {member}\.$")

    def test_nothing_that_no_client_should_send_disturbs_it(self):
        abuse = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http_abuse.py")
        with Server(deployment(HTTP)) as server:
            run = subprocess.run([sys.executable, abuse, f"http://127.0.0.1:{server.port}"],
                                 capture_output=True, text=True, timeout=200)
            closing = run.stdout.splitlines()[-1] if run.stdout else run.stderr
            found = re.fullmatch(r"(\d+) passed, 0 failed", closing)
            self.assertTrue(found and run.returncode == 0, run.stdout[-3000:] + run.stderr)
            self.assertGreaterEqual(int(found.group(1)), 60)
            self.assertEqual(server.chat()["usage"]["completion_tokens"], NUM_TOKENS)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(30), 0)

    def test_says_that_the_bound_of_a_step_has_no_effect_on_a_backend(self):
        text = deployment(HTTP).replace(f'"{BACKEND}"', '"fault"').replace(f'["{PLUGINS}"]', f'["{PLUGINS}", "{TEST_PLUGINS}"]')
        for bound, is_said in (("100ms", True), ("0s", False)):
            with Server(text.replace("slots = 2", f'slots = 2\nmax_step_time = "{bound}"')) as server:
                server.process.send_signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(30), 0)
                server.reader.join()
                log = "".join(server.lines)
                self.assertEqual("model tiny: max_step_time of 100 ms does not bound its steps" in log, is_said, log)

    @staticmethod
    def with_slow_model(until_file: str) -> str:
        """A deployment with a second model, which loads until the file is there, for a minute at most."""
        slow_model = f"""[backends.slow]
plugin = "fault"
fault = "slow_build"
hang = "60s"
until_file = "{until_file}"
[models.slow]
path = "{MODEL}"
backend = "slow"
"""
        return deployment(HTTP + slow_model).replace(f'["{PLUGINS}"]', f'["{PLUGINS}", "{TEST_PLUGINS}"]')

    def test_clients_learn_that_a_model_loads_while_another_answers(self):
        with tempfile.TemporaryDirectory() as folder, \
                Server(self.with_slow_model(folder + "/loaded"), waits_for_models=False) as server:
            server.wait_for_tiny()
            status, headers, health = server.answer("GET", "/health")
            self.assertEqual((status, health["status"]), (503, "loading"))
            self.assertIn("slow: it is loading", health["reason"])
            self.assertTrue(headers["Retry-After"])
            status, headers, refused = server.answer("POST", "/v1/completions", {"model": "slow", "prompt": "a"})
            self.assertEqual((status, refused["error"]["code"]), (503, "model_loading"))
            self.assertTrue(headers["Retry-After"])
            self.assertTrue(server.chat()["choices"][0]["message"]["content"])
            open(folder + "/loaded", "w").close()
            server.wait_for_models()

    def test_sigterm_while_a_model_loads_lets_another_finish_its_answer(self):
        with Server(self.with_slow_model("/nonexistent/file"), waits_for_models=False) as server:
            server.wait_for_tiny()
            connection, response = server.request("POST", "/v1/completions", {
                "model": "tiny", "prompt": PROMPT, "max_tokens": 200, "stream": True})
            self.assertTrue(response.readline().startswith(b"data:"))
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(response.read().rstrip().endswith(b"data: [DONE]"))
            connection.close()
            self.assertEqual(server.process.wait(30), 0)
            server.reader.join()
            self.assertIn("stopped while loading", "".join(server.lines))

    def test_a_taken_port_is_one_clear_error(self):
        with Server(deployment(HTTP)) as server:
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(deployment(HTTP).replace(":0", f":{server.port}"))
                file.flush()
                second = subprocess.run([VERNAL, "serve", file.name], stdin=subprocess.DEVNULL,
                                        capture_output=True, text=True, timeout=30)
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(server.port), second.stderr)

    def test_run_needs_no_frontend(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(deployment(""))
            file.flush()
            answer = subprocess.run([VERNAL, "run", file.name, "-p", PROMPT, "-n", "3"], stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertTrue(answer.stdout)

    def test_every_command_refuses_a_missing_file_by_name(self):
        for command in (["serve"], ["check"], ["plan"], ["bench"], ["run", "-p", "x"], ["chat"], ["inspect"]):
            result = subprocess.run([VERNAL, command[0], "/nonexistent/file", *command[1:]],
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
            self.assertEqual(result.returncode, 1, command)
            self.assertIn("/nonexistent/file", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
