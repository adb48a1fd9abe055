#!/usr/bin/env python3
"""Sends a running server what no client should send, over raw sockets, and checks that it copes.

    http_abuse.py http://127.0.0.1:8080 [--model NAME] [--api-key KEY] [--only REGEX] [--slow]

Every case is answered with one of its statuses, or closed where that is allowed, within its time; after each
of them GET /health answers 200 within two seconds, and at the end no request is left running. --slow adds the
cases that wait for the server's own time limits. Needs nothing but Python's standard library. Prints a line
for each case and ends with 1 if one failed.
"""
import argparse
import json
import re
import socket
import struct
import sys
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


# ---- tables: name, bytes, statuses ------------------------------------------------------------------

def malformed_heads(s):
    def get(headers):
        return s.head("GET /health", headers)
    plain = f"Host: {s.host}\r\n{s.key}"
    return [
        ("tls client hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), {400}),
        ("http/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
        ("http/0.9", b"GET /\r\n", {400, 505}),
        ("http/9.9", f"GET /health HTTP/9.9\r\n{plain}\r\n".encode(), {400, 505}),
        ("lower case protocol", f"GET /health http/1.1\r\n{plain}\r\n".encode(), {400}),
        ("no version", b"GET /health\r\nHost: a\r\n\r\n", {400}),
        ("ssh banner", b"SSH-2.0-OpenSSH_9.2\r\n", {400}),
        ("smtp greeting", b"EHLO example.org\r\n", {400}),
        ("redis command", b"*1\r\n$4\r\nPING\r\n", {400}),
        ("socks greeting", b"\x05\x01\x00", {400}),
        ("binary noise", b"\xff\x00\xfe" * 1000, {400}),
        ("only newlines", b"\n" * 1000, {400}),
        ("only spaces", b" " * 1000, {400}),
        ("empty method", f" /health HTTP/1.1\r\n{plain}\r\n".encode(), {400}),
        ("method of 64 KiB", b"A" * 65536, {400}),
        ("method with control byte", f"G\x01T /health HTTP/1.1\r\n{plain}\r\n".encode(), {400}),
        ("two spaces", f"GET  /health HTTP/1.1\r\n{plain}\r\n".encode(), {400}),
        ("space in the target", f"GET /a b HTTP/1.1\r\n{plain}\r\n".encode(), {400}),
        ("nul in the target", b"GET /\x00 HTTP/1.1\r\n", {400}),
        ("bare cr in the first line", b"GET /\rx HTTP/1.1\r\n", {400}),
        ("target of 100 KB", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", {414}),
        ("target with fragment", s.head("GET /a#b"), {400}),
        ("target with raw utf-8", "GET /ä HTTP/1.1\r\n\r\n".encode(), {400}),
        ("relative target", s.head("GET health"), {400}),
        ("asterisk of get", s.head("GET *"), {400}),
        ("connect", s.head("CONNECT a:443"), {400, 405}),
        ("encoded nul", s.head("GET /%00"), {400}),
        ("broken escape", s.head("GET /%zz"), {400}),
        ("escape cut off", s.head("GET /%4"), {400}),
        ("escaped bad utf-8", s.head("GET /%ff%fe"), {400}),
        ("no host", b"GET /health HTTP/1.1\r\n\r\n", {400}),
        ("two hosts", get("Host: b\r\n"), {400}),
        ("host with a path", b"GET /health HTTP/1.1\r\nHost: a/../b\r\n\r\n", {400}),
        ("host with a user", b"GET /health HTTP/1.1\r\nHost: u:p@a\r\n\r\n", {400}),
        ("header of 100 KB", get("X: " + "a" * 100_000 + "\r\n"), {431}),
        ("header name of 40 KB", get("x" * 40_000 + ": y\r\n"), {431}),
        ("20,000 headers", get("X: y\r\n" * 20_000), {431}),
        ("200 headers", get("X: y\r\n" * 200), {431}),
        ("folded header", get("X: y\r\n z\r\n"), {400}),
        ("space before the colon", get("X : y\r\n"), {400}),
        ("no colon", get("garbage\r\n"), {400}),
        ("empty header name", get(": y\r\n"), {400}),
        ("header name with utf-8", get("\xe4: y\r\n"), {400}),
        ("nul in a header", get("X: a\x00b\r\n"), {400}),
        ("bare cr in a header", get("X: a\rb\r\n"), {400}),
        ("bare lf in a header", get("X: a\nY: b\r\n"), {400}),
        ("bare lf line ends", b"GET /health HTTP/1.1\nHost: a\n\n", {400}),
        ("odd expectation", s.post("Expect: the-moon\r\nContent-Length: 2\r\n", b"{}"), {417}),
    ]


def malformed_framing(s):
    chunked = "Transfer-Encoding: chunked\r\n"
    return [
        ("length beside chunked", s.post("Content-Length: 5\r\n" + chunked, b"0\r\n\r\n"), {400}),
        ("two lengths", s.post("Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"), {400}),
        ("the same length twice", s.post("Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), {400}),
        ("list of lengths", s.post("Content-Length: 5, 5\r\n", b"hello"), {400}),
        ("negative length", s.post("Content-Length: -5\r\n", b"hello"), {400}),
        ("length with a sign", s.post("Content-Length: +5\r\n", b"hello"), {400}),
        ("length in hex", s.post("Content-Length: 0x5\r\n", b"hello"), {400}),
        ("length with a unit", s.post("Content-Length: 5 bytes\r\n", b"hello"), {400}),
        ("empty length", s.post("Content-Length:\r\n", b"hello"), {400}),
        ("length of 2^70", s.post("Content-Length: 1180591620717411303424\r\n", b"hello"), {400}),
        ("length of 2^64 - 1", s.post("Content-Length: 18446744073709551615\r\n", b"hello"), {413}),
        ("length of 8 GiB", s.post("Content-Length: 8589934592\r\n", b"hello"), {413}),
        ("gzip coding", s.post("Transfer-Encoding: gzip\r\n", b"hello"), {400, 501}),
        ("gzip, then chunked", s.post("Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), {400, 501}),
        ("chunked, then gzip", s.post("Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), {400, 501}),
        ("chunked twice", s.post(chunked + chunked, b"0\r\n\r\n"), {400}),
        ("almost chunked", s.post("Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), {400, 501}),
        ("chunked hidden by a tab", s.post("Transfer-Encoding:\tx\tchunked\r\n", b"0\r\n\r\n"), {400, 501}),
        ("chunked in http/1.0", b"POST /v1/completions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        ("compressed body", s.post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", b"\x1f\x8b\x08"), {415}),
        ("chunk size that is no number", s.post(chunked, b"zz\r\nhello\r\n0\r\n\r\n"), {400}),
        ("negative chunk size", s.post(chunked, b"-5\r\nhello\r\n0\r\n\r\n"), {400}),
        ("chunk size beyond 64 bits", s.post(chunked, b"fffffffffffffffff\r\nhello"), {400}),
        ("chunk of 2^62 bytes", s.post(chunked, b"4000000000000000\r\nhello"), {400, 413}),
        ("chunk longer than it says", s.post(chunked, b"3\r\nhello\r\n0\r\n\r\n"), {400}),
        ("chunk extension of 1 MiB", s.post(chunked, b"1;" + b"x" * (1 << 20)), {400}),
        ("trailer of 1 MiB", s.post(chunked, b"0\r\nX: " + b"y" * (1 << 20)), {400}),
        ("body of 80 MB in chunks", s.post(chunked, (b"10000\r\n" + b" " * 65536 + b"\r\n") * 1280), {413}),
    ]


def malformed_bodies(s):
    def chat(members):
        return s.json_post(b'{"model":"%s","messages":[{"role":"user","content":"x"}],"max_tokens":2%s}'
                           % (s.model.encode(), members))
    return [
        ("no body", s.post("Content-Length: 0\r\n"), {400}),
        ("no length", s.post(""), {400, 411}),
        ("empty object", s.json_post(b"{}"), {400}),
        ("broken json", s.json_post(b'{"model": '), {400}),
        ("an array", s.json_post(b"[]"), {400}),
        ("a byte order mark", s.json_post(b"\xef\xbb\xbf{}"), {400}),
        ("utf-16", s.json_post('{"model":1}'.encode("utf-16")), {400}),
        ("nul bytes", s.json_post(bytes(1000)), {400}),
        ("text behind the object", s.json_post(b"{} {}"), {400}),
        ("invalid utf-8", chat(b',"user":"\xff\xfe"'), {400}),
        ("overlong utf-8", chat(b',"user":"\xc0\xaf"'), {400}),
        ("lone surrogate", chat(b',"user":"\\ud800"'), {400}),
        ("100,000 nested arrays", s.json_post(b"[" * 100_000), {400}),
        ("1,000,000 nested objects", s.json_post(b'{"a":' * 1_000_000), {400}),
        ("deep tools", chat(b',"tools":' + b"[" * 500 + b"]" * 500), {400}),
        ("5 million zeros", chat(b',"x":[' + b"0," * 5_000_000 + b"0]"), {200, 400, 413}),
        ("number 1e999", chat(b',"temperature":1e999'), {400}),
        ("number of 10,000 digits", chat(b',"seed":' + b"9" * 10_000), {400}),
        ("nan", chat(b',"temperature":NaN'), {400}),
        ("temperature -1", chat(b',"temperature":-1'), {400}),
        ("temperature as text", chat(b',"temperature":"hot"'), {400}),
        ("n of a million", chat(b',"n":1000000'), {400}),
        ("top_logprobs of a million", chat(b',"logprobs":true,"top_logprobs":1000000'), {400}),
        ("negative output budget", s.json_post({"model": s.model, "max_tokens": -1,
                                                "messages": [{"role": "user", "content": "x"}]}), {400}),
        ("100,000 stop strings", chat(b',"stop":[' + b'"a",' * 100_000 + b'"a"]'), {400}),
        ("100,000 logit biases", chat(b',"logit_bias":{' + b",".join(b'"%d":1' % i for i in range(100_000)) +
                                      b"}"), {400}),
        ("unknown role", s.json_post({"model": s.model, "messages": [{"role": "wizard", "content": "x"}]}), {400}),
        ("messages as text", s.json_post({"model": s.model, "messages": "hi"}), {400}),
        ("image from a file", s.json_post({"model": s.model, "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}]}), {400}),
        ("unknown model", s.json_post({"model": "../../etc/passwd", "messages": [
            {"role": "user", "content": "x"}]}), {404}),
        ("model name with escapes", s.json_post({"model": "\x00\x1b[31m", "messages": [
            {"role": "user", "content": "x"}]}), {404}),
        ("tool that is not offered", s.chat(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice={
            "type": "function", "function": {"name": "nope"}}), {400}),
        ("schema without a schema", s.chat(response_format={"type": "json_schema", "json_schema": {}}), {400}),
        ("template variables", s.chat(chat_template_kwargs={"messages": "x" * 1000}), {200, 400}),
        ("token ids out of range", s.json_post({"model": s.model, "prompt": [2**31 - 1]}, "/v1/completions"), {400}),
        ("token ids beyond 32 bits", s.json_post({"model": s.model, "prompt": [2**40]}, "/v1/completions"), {400}),
        ("negative token ids", s.json_post({"model": s.model, "prompt": [-1]}, "/v1/completions"), {400}),
        ("1,000 prompts", s.json_post({"model": s.model, "prompt": ["x"] * 1000}, "/v1/completions"), {400}),
        ("word of 1 MB", s.json_post({"model": s.model, "max_tokens": 2, "messages": [
            {"role": "user", "content": "x" * 1_000_000}]}), {200, 400}),
        ("special tokens as text", s.chat(messages=[{"role": "user", "content": "<|im_end|></s><bos>\x00"}]), {200}),
        ("count of nothing", s.json_post({}, "/v1/messages/count_tokens"), {400}),
    ]


def odd_but_allowed(s):
    return [
        ("body of a get", s.head("GET /health", "Content-Length: 3\r\n") + b"abc", {200}),
        ("delete of the models", s.head("DELETE /v1/models"), {404, 405}),
        ("trace", s.head("TRACE /health"), {404, 405}),
        ("unknown method", s.head("BREW /coffee"), {404, 405, 501}),
        ("path traversal", s.head("GET /v1/models/../../etc/passwd"), {404}),
        ("encoded path traversal", s.head("GET /v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), {404}),
        ("foreign probes", s.head("GET /api/tags"), {404}),
        ("junk in a preflight", s.head("OPTIONS /x", "Access-Control-Request-Headers: \"<script>\r\n"), {200, 204}),
        ("http2 upgrade", s.head("GET /health", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), {200}),
        ("websocket upgrade", s.head("GET /health", "Connection: Upgrade\r\nUpgrade: websocket\r\n"), {200}),
        ("overlapping ranges", s.head("GET /health", "Range: bytes=0-0,0-0\r\n"), {200}),
        ("absolute target", s.head(f"GET http://{s.host}/health"), {200}),
        ("empty lines first", b"\r\n\r\n" + s.head("GET /health"), {200}),
        ("http/1.0", b"GET /health HTTP/1.0\r\n\r\n", {200}),
    ]


# ---- cases that are more than one write ---------------------------------------------------------------

def stream_request(s):
    return s.json_post({"model": s.model, "stream": True, "max_tokens": 2000, "messages": [
        {"role": "user", "content": "Count from 1 to 1000."}]})


def case_nothing_is_smuggled(s):
    """What follows a request's body is a request of its own, and a refused head ends the connection."""
    with s.connect() as connection:
        connection.sendall(s.post("Content-Length: 2\r\n", b"{}") + s.head("GET /health"))
        answers = Answers(connection)
        require(answers.next()[0] == 400, "the first answer")
        require(answers.next()[0] == 200, "the second answer")
    with s.connect() as connection:
        connection.sendall(s.post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n") +
                           s.head("GET /health"))
        answers = Answers(connection)
        require(answers.next()[0] == 400, "the refusal")
        require(answers.next() is None, "an answer after the refusal")


def case_pipelined_requests_are_answered_in_order(s):
    with s.connect() as connection:
        connection.sendall(s.head("GET /health") + s.head("GET /v1/models") + s.head("GET /nope"))
        answers = Answers(connection)
        got = [answers.next() for _ in range(3)]
    require([a[0] for a in got] == [200, 200, 404], f"statuses {[a[0] for a in got]}")
    require(b'"status"' in got[0][2] and b'"data"' in got[1][2], "the order")


def case_one_byte_at_a_time(s):
    with s.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in s.chat():
            connection.sendall(bytes([byte]))
        require(Answers(connection).next()[0] == 200, "the answer")


def case_body_in_one_byte_chunks(s):
    body = json.dumps({"model": s.model, "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]}).encode()
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\nX-Trailer: 1\r\n\r\n"
    answer = exchange(s, s.post("Transfer-Encoding: chunked\r\n", chunks))
    require(answer is not None and answer[0] == 200, f"{answer}")


def case_expectation_is_met(s):
    data = json.dumps({"model": s.model, "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]}).encode()
    with s.connect() as connection:
        connection.sendall(s.post(f"Expect: 100-continue\r\nContent-Length: {len(data)}\r\n"))
        answers = Answers(connection)
        require(answers.next()[0] == 100, "no 100 Continue")
        connection.sendall(data)
        require(answers.next()[0] == 200, "no answer after 100 Continue")


def case_connection_survives_bad_bodies(s):
    with s.connect() as connection:
        answers = Answers(connection)
        for _ in range(20):
            connection.sendall(s.json_post(b"{broken"))
            require(answers.next()[0] == 400, "the refusal")
        connection.sendall(s.head("GET /health"))
        require(answers.next()[0] == 200, "the connection was not kept")


def case_hang_up_at_every_byte(s):
    request = s.chat()
    for size in range(0, len(request) + 1, 7):
        with s.connect() as connection:
            connection.sendall(request[:size])
    wait_until_idle(s)


def case_reset_during_a_stream(s):
    for _ in range(10):
        with s.connect() as connection:
            connection.sendall(stream_request(s))
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until_idle(s)


def case_leave_during_a_stream(s):
    with s.connect() as connection:
        connection.sendall(stream_request(s))
        require(b"200" in connection.recv(100), "the stream")
    begin = time.monotonic()
    wait_until_idle(s, 5)
    require(time.monotonic() - begin < 5, "the request was not cancelled")


def case_leave_before_the_answer(s):
    data = {"model": s.model, "max_tokens": 2000, "messages": [{"role": "user", "content": "Count to 1000."}]}
    for _ in range(5):
        with s.connect() as connection:
            connection.sendall(s.json_post(data))
            time.sleep(0.05)
    wait_until_idle(s)


def case_half_closed_connections(s):
    with s.connect() as connection:
        connection.sendall(s.head("GET /health"))
        connection.shutdown(socket.SHUT_WR)
        answer = Answers(connection).next()
    require(answer is None or answer[0] == 200, f"{answer}")


def case_many_streams_that_nobody_reads(s):
    connections = [s.connect() for _ in range(8)]
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(stream_request(s))
    time.sleep(0.5)
    check_health(s)
    for connection in connections:
        connection.close()
    wait_until_idle(s)


def case_two_hundred_idle_connections(s):
    connections = [s.connect() for _ in range(200)]
    check_health(s)
    for connection in connections:
        connection.close()


def case_two_hundred_half_sent_requests(s):
    connections = [s.connect() for _ in range(200)]
    for connection in connections:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX: ")
    check_health(s)
    for connection in connections:
        connection.close()


def case_a_thousand_connections_in_a_row(s):
    for _ in range(1000):
        s.connect().close()


def slow_case_head_that_never_ends(s):
    with s.connect(60) as connection:
        begin = time.monotonic()
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX: ")
        connection.settimeout(1)
        answer = b""
        while time.monotonic() - begin < 40:
            try:
                answer = connection.recv(1000)
                break
            except TimeoutError:
                connection.sendall(b"y")
        require(not answer or b" 408 " in answer, f"{answer!r}")
        require(time.monotonic() - begin < 30, "the head was waited for too long")


def slow_case_body_that_never_ends(s):
    with s.connect(60) as connection:
        begin = time.monotonic()
        connection.sendall(s.post("Content-Length: 100000\r\n"))
        connection.settimeout(1)
        answer = b""
        while time.monotonic() - begin < 60:
            try:
                answer = connection.recv(1000)
                break
            except TimeoutError:
                connection.sendall(b" ")
        require(not answer or b" 408 " in answer, f"{answer!r}")
        require(time.monotonic() - begin < 50, "the body was waited for too long")


def tabled(server, data, statuses):
    check_answer(exchange(server, data), statuses)


def all_cases(server, slow):
    """[(name, function without arguments)]"""
    out = []
    for table in (malformed_heads, malformed_framing, malformed_bodies, odd_but_allowed):
        for name, data, statuses in table(server):
            # A server may close on what is no HTTP at all; a body must always be answered.
            allowed = statuses | {CLOSED} if table is malformed_heads else statuses
            out.append((name, lambda d=data, a=allowed: tabled(server, d, a)))
    prefixes = ("case_", "slow_case_") if slow else ("case_",)
    for name, function in list(globals().items()):
        if name.startswith(prefixes):
            out.append((name.split("case_")[1].replace("_", " "), lambda f=function: f(server)))
    return out


def choose_model(server, name):
    answer = exchange(server, server.head("GET /v1/models"))
    require(answer is not None and answer[0] == 200, f"GET /v1/models: {answer}")
    ids = [entry["id"] for entry in json.loads(answer[2])["data"]]
    require(ids and (not name or name in ids), f"the server's models are {ids}")
    server.model = name or ids[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--model", default="")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    server = Server(options.url, options.api_key)
    choose_model(server, options.model)
    failed = passed = 0
    for name, run in all_cases(server, options.slow):
        if not re.search(options.only, name):
            continue
        try:
            run()
            check_health(server)
            passed += 1
            print(f"ok      {name}", flush=True)
        except (Failure, OSError, ValueError, TypeError, KeyError) as error:
            failed += 1
            print(f"FAILED  {name}: {error!r}", flush=True)
    try:
        wait_until_idle(server)
    except Failure as error:
        failed += 1
        print(f"FAILED  the end: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
