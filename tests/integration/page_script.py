"""A server with scripted answers between a browser and vernal: the page and all else come from vernal itself.

It answers POST /v1/chat/completions with chunks as docs/http-api.md describes them, so that a test sees thinking, calls,
long pauses and errors whatever a small model would write.
"""
import http.client
import http.server
import json
import threading


def delta(**members):
    return {"choices": [{"index": 0, "delta": members, "finish_reason": None}]}


def finish(reason="stop", prompt=40, cached=30, generated=12):
    usage = {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated,
             "prompt_tokens_details": {"cached_tokens": cached}}
    timings = {"cache_n": cached, "prompt_n": prompt - cached, "prompt_ms": 12.0, "predicted_n": generated,
               "predicted_ms": 400.0, "predicted_per_second": 27.5}
    return [{"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
            {"choices": [], "usage": usage, "timings": timings}]


def say(text, size=7):
    return [delta(content=text[at:at + size]) for at in range(0, len(text), size)]


def think(text, size=7):
    return [delta(reasoning_content=text[at:at + size]) for at in range(0, len(text), size)]


def call(name, arguments, index=0):
    begin = {"index": index, "id": f"call_{name}{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    half = len(arguments) // 2
    parts = [{"index": index, "function": {"arguments": part}} for part in (arguments[:half], arguments[half:])]
    return [delta(tool_calls=[part]) for part in (begin, *parts)]


class Script:
    """What the next requests get, in order, and what they asked for. An answer is a list of chunks, in which a
    threading.Event is waited for, or (status, error) for a refusal."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.headers = []
        self.is_gone = threading.Event()  # a client left before its answer was complete


class ScriptedServer:
    def __init__(self, upstream_port):
        script = self.script = Script()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                upstream = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=60)
                headers = {name: self.headers[name] for name in ("Accept", "If-None-Match", "Authorization")
                           if self.headers[name]}
                upstream.request("GET", self.path, headers=headers)
                answer = upstream.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "keep-alive", "date", "server"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                upstream.close()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                script.requests.append(json.loads(body))
                script.headers.append(self.headers)
                answer = script.answers.pop(0)
                if isinstance(answer, tuple):
                    self.refuse(*answer)
                else:
                    self.stream(answer)

            def refuse(self, status, error):
                body = json.dumps({"error": error}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self, chunks):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for chunk in chunks:
                        if isinstance(chunk, threading.Event):
                            self.wait_for(chunk)
                        else:
                            self.send(json.dumps(chunk))
                    self.send("[DONE]")
                except OSError:
                    script.is_gone.set()

            def wait_for(self, event):
                while not event.wait(0.05):  # empty chunks, as a server sends them, tell whether the client is there
                    self.send(json.dumps(delta(content="")))

            def send(self, data):
                self.wfile.write(f"data: {data}\n\n".encode())
                self.wfile.flush()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a browser closes connections as it likes

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
