"""Cases of http_abuse.py that are more than one write: functions case_* of a server; slow_case_* wait for its limits."""
import json
import socket
import struct
import time

from http_abuse_client import Answers, check_health, exchange, require, wait_until_idle


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


def conversations(slow):
    """[(name, function of a server)]"""
    prefixes = ("case_", "slow_case_") if slow else ("case_",)
    return [(name.split("case_")[1].replace("_", " "), function)
            for name, function in globals().items() if name.startswith(prefixes)]
