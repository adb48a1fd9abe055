"""The server that the clients talk to: a running one, or `vernal serve` on a deployment of its own."""
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

TINY = pathlib.Path(__file__).resolve().parents[1] / "golden/models/tiny-llama.gguf"
# Windows, memory and more keys: agents send prompts of some thousand tokens; requests that are made up want short answers.
SIZES = {"demo": (32768, 49152, ""), "tiny": (192, 1536, 'pooling = "last"')}
DEPLOYMENT = """schema = 1
[runtime]
plugin_paths = ["{plugins}"]
[backends.cpu]
plugin = "cpu_avx2"
[models.{name}]
path = "{gguf}"
backend = "cpu"
context_length = {context}
slots = 2
kv_tokens = {memory}
{more}
kv_cache = {{ keys = "q8_0", values = "q8_0" }}
sampling = {{ temperature = 0.0 }}
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
"""


class Server:
    """In a with block. `url` is without /v1, `model` the name that clients ask for. `name` says which server to start if
    `options` have no address: "demo", or "tiny", whose model writes nonsense at once."""

    def __init__(self, options, name):
        self.options = options
        self.name = name
        self.process = None
        self.log = []

    def __enter__(self):
        self.url = self.options.url or self.start()
        self.url = self.url.rstrip("/")
        self.model = self.options.model or self.get("/v1/models")["data"][0]["id"]
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.reader.join()
            self.folder.cleanup()

    def start(self):
        vernal = pathlib.Path(self.options.vernal).resolve()
        gguf = (TINY if self.name == "tiny" else self.options.gguf).resolve()
        for path, remedy in ((vernal, "build it"), (gguf, "tools/fetch_model.py fetches it")):
            if not path.exists():
                raise SystemExit(f"run: there is no {path}; {remedy}, or give --url of a running server")
        self.folder = tempfile.TemporaryDirectory(prefix="vernal-clients-")
        file = pathlib.Path(self.folder.name) / "deployment.toml"
        context, memory, more = SIZES[self.name]
        file.write_text(DEPLOYMENT.format(plugins=vernal.parent.parent / "lib/vernal/plugins", gguf=gguf, name=self.name,
                                          context=context, memory=memory, more=more))
        self.process = subprocess.Popen([vernal, "serve", file], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        url = None
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                url = found.group(1)
                break
        if not url:
            raise SystemExit("run: the server does not start:\n" + "".join(self.log))
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()
        self.url = url
        self.wait_until_ready()
        return url

    def wait_until_ready(self):
        limit = time.monotonic() + 300
        while time.monotonic() < limit:
            try:
                self.get("/health")
                return
            except urllib.error.HTTPError:
                time.sleep(0.2)
        raise SystemExit("run: the model does not load:\n" + "".join(self.log))

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.options.key}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
