"""What http_abuse.py sends and reads with: raw sockets, and what each answer must have."""
import json
import re
import socket
import time
import urllib.parse

HEALTH_LIMIT = 2.0
ANSWER_LIMIT = 15.0
CLOSED = "closed"


class Failure(Exception):
    """A case went wrong; the text says how."""


def require(condition, text):
    if not condition:
        raise Failure(text)


class Server:
    """Where the server is, and what every request to it needs."""

    def __init__(self, url, api_key):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self.host = f"{parts.hostname}:{parts.port or 80}"
        self.key = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self.model = ""

    def connect(self, timeout=ANSWER_LIMIT):
        return socket.create_connection(self.address, timeout=timeout)

    def head(self, line, headers=""):
        return f"{line} HTTP/1.1\r\nHost: {self.host}\r\n{self.key}{headers}\r\n".encode("latin-1")

    def post(self, headers="", body=b"", path="/v1/chat/completions"):
        return self.head(f"POST {path}", headers) + body

    def json_post(self, body, path="/v1/chat/completions"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post(f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n", data, path)

    def chat(self, **members):
        body = {"model": self.model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4}
        return self.json_post({**body, **members})


class Answers:
    """Reads answers from a socket, one after the other."""

    def __init__(self, connection):
        self.connection = connection
        self.bytes = b""

    def more(self):
        data = self.connection.recv(65536)
        self.bytes += data
        return bool(data)

    def next(self):
        """(status, headers, body), or None if the connection ended first."""
        while b"\r\n\r\n" not in self.bytes:
            if not self.more():
                return None
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, self.chunks()
        size = int(headers.get("content-length", "0")) if status not in (100, 204) else 0
        while len(self.bytes) < size:
            if not self.more():
                return None
        body, self.bytes = self.bytes[:size], self.bytes[size:]
        return status, headers, body

    def chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.bytes:
                require(self.more(), "the body breaks off")
            size, self.bytes = self.bytes.split(b"\r\n", 1)
            size = int(size, 16)
            while len(self.bytes) < size + 2:
                require(self.more(), "a chunk breaks off")
            body += self.bytes[:size]
            self.bytes = self.bytes[size + 2:]
            if size == 0:
                return body


def send_all(connection, data):
    """False if the server stopped taking it, which it may."""
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


def exchange(server, data):
    """Sends bytes on a new connection; the first answer, or None if there was none."""
    with server.connect() as connection:
        send_all(connection, data)
        try:
            return Answers(connection).next()
        except ConnectionError:
            return None


def check_answer(answer, statuses):
    if answer is None:
        require(CLOSED in statuses, f"closed without an answer, expected {sorted(map(str, statuses))}")
        return
    status, headers, body = answer
    require(status in statuses, f"status {status}, expected {sorted(map(str, statuses))}: {body[:200]!r}")
    if status >= 400 and headers.get("content-type", "").startswith("application/json"):
        error = json.loads(body)["error"]
        require(error["message"], "an error without a message")
        require(headers.get("x-request-id"), "no x-request-id")


def metric(server, pattern):
    answer = exchange(server, server.head("GET /metrics"))
    if answer is None or answer[0] != 200:
        return None
    values = re.findall(pattern + r"(?:\{[^}]*\})? ([0-9.e+-]+)$", answer[2].decode(), re.M)
    return sum(map(float, values)) if values else None


def running(server):
    return metric(server, r"^\w*requests_running")


def check_health(server):
    begin = time.monotonic()
    answer = exchange(server, server.head("GET /health"))
    took = time.monotonic() - begin
    require(answer is not None and answer[0] == 200, f"/health: {answer}")
    require(took < HEALTH_LIMIT, f"/health took {took:.1f} s")


def wait_until_idle(server, limit=10.0):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if not running(server):
            return
        time.sleep(0.05)
    raise Failure(f"{running(server)} requests still run after {limit} s")
