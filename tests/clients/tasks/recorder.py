"""A server between a client and vernal that keeps what the one asked for and with which status the other answered."""
import http.client
import http.server
import json
import threading
import urllib.parse


class Recorder:
    """In a with block. `requests` has a (path, body, status, answer) for each POST."""

    def __init__(self, upstream):
        place = urllib.parse.urlsplit(upstream)
        requests = self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.forward()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = self.forward(body)
                requests.append((self.path, json.loads(body), status, answer))

            def forward(self, body=None):
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
                connection = http.client.HTTPConnection(place.hostname, place.port, timeout=1800)
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "keep-alive", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.end_headers()
                whole = b""
                while part := answer.read1(65536):
                    whole += part
                    self.wfile.write(part)
                    self.wfile.flush()
                connection.close()
                return answer.status, whole.decode(errors="replace")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
