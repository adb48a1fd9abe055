#!/usr/bin/env python3
"""The proxies of docs/serving.md, as far as they are installed: their configurations are valid, and each passes the events of a
stream on one by one.

  proxies_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Looks for nginx, haproxy and caddy in PATH and in the folders of VERNAL_PROXY_PATH. Exits with 77 if there is none.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import serve_process_test as serving

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "serving.md").read_text()
PATH = os.pathsep.join([os.environ.get("VERNAL_PROXY_PATH", ""), os.environ["PATH"], "/usr/sbin"])
PROXIES = {name: shutil.which(name, path=PATH) for name in ("nginx", "haproxy", "caddy")}


def block(language):
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.S)
    assert found, f"docs/serving.md has no block of {language}"
    return found.group(1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Proxy:
    """A proxy with the guide's configuration, without encryption and on other ports."""

    def __init__(self, name, backend_port, folder):
        self.port = free_port()
        text = block({"nginx": "nginx", "haproxy": "haproxy", "caddy": "caddy"}[name]).replace(
            "127.0.0.1:8080", f"127.0.0.1:{backend_port}")
        file = pathlib.Path(folder) / f"{name}.conf"
        if name == "nginx":
            text = re.sub(r"listen 443 ssl http2;", f"listen 127.0.0.1:{self.port};", text)
            text = re.sub(r" *ssl_certificate.*\n", "", text)
            temp = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            text = (f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
                    f"http {{ access_log off;\n{temp}{text}}}\n")
            command = [PROXIES[name], "-c", str(file), "-p", folder]
        elif name == "haproxy":
            text = re.sub(r"bind :443 .*", f"bind 127.0.0.1:{self.port}", text)
            command = [PROXIES[name], "-db", "-f", str(file)]
        else:
            text = text.replace("llm.example.org {", f"http://127.0.0.1:{self.port} {{", 1)
            text = f"{{\n admin off\n}}\n{text}"
            command = [PROXIES[name], "run", "--adapter", "caddyfile", "--config", str(file)]
        file.write_text(text)
        environment = {**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        self.log = open(pathlib.Path(folder) / f"{name}.log", "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)

    def __enter__(self):
        limit = time.monotonic() + 20
        while time.monotonic() < limit and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        self.log.seek(0)
        raise AssertionError(self.log.read())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


class Proxies(unittest.TestCase):
    def check(self, name):
        if PROXIES[name] is None:
            self.skipTest(f"{name} is not installed")
        server_table = serving.HTTP + 'hosts = ["*"]\nkeep_alive_interval = "100ms"\n'
        with serving.Server(serving.deployment(server_table)) as server, tempfile.TemporaryDirectory() as folder, \
                Proxy(name, server.port, folder) as proxy:
            def get(path):
                connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
                connection.request("GET", path)
                status = connection.getresponse().status
                connection.close()
                return status
            limit = time.monotonic() + 20  # until the proxy has found the server healthy
            while get("/health") != 200 and time.monotonic() < limit:
                time.sleep(0.1)
            self.assertEqual(get("/v1/models"), 200)
            self.assertEqual(get("/metrics"), 403)
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
            body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 200, "stream": True}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            self.assertEqual(response.getheader("Content-Type"), "text/event-stream")
            times, last = [], b""
            while line := response.readline():
                if line.startswith(b"data: "):
                    times.append(time.monotonic())
                    last = line
            self.assertEqual(last.strip(), b"data: [DONE]")
            # A proxy that gathers the answer would let the first event wait for the last.
            self.assertGreater(times[-1] - times[0], 0.05)
            connection.close()

    def test_nginx(self):
        self.check("nginx")

    def test_haproxy(self):
        self.check("haproxy")

    def test_caddy(self):
        self.check("caddy")


if __name__ == "__main__":
    if not any(PROXIES.values()):
        print("neither nginx nor haproxy nor caddy is installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
