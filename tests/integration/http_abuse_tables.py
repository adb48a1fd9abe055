"""Cases of http_abuse.py that are one write: rows of name, bytes, and the statuses that are allowed."""
from http_abuse_client import CLOSED


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
        ("compressed body that is cut off", s.post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", b"\x1f\x8b\x08"), {400}),
        ("body in an unknown coding", s.post("Content-Encoding: br\r\nContent-Length: 3\r\n", b"abc"), {415}),
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
        ("negative output budget", s.json_post({"model": s.model, "max_tokens": -2,
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
        ("message of nothing", s.json_post({}, "/v1/messages"), {400}),
        ("message without a budget", s.json_post({"model": s.model, "messages": [
            {"role": "user", "content": "x"}]}, "/v1/messages"), {400}),
        ("message with a picture", s.json_post({"model": s.model, "max_tokens": 1, "messages": [{"role": "user", "content": [
            {"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}]}]}, "/v1/messages"), {400}),
        ("message of 100,000 blocks", s.json_post({"model": s.model, "max_tokens": 1, "messages": [{"role": "user", "content":
            [{"type": "text", "text": ""}] * 100_000}]}, "/v1/messages"), {200, 400}),
        ("message for a tool that is not offered", s.json_post({"model": s.model, "max_tokens": 1, "messages": [
            {"role": "user", "content": "x"}], "tool_choice": {"type": "tool", "name": "nope"}}, "/v1/messages"), {400}),
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


def one_write_cases(server):
    """[(name, bytes, statuses)]"""
    # A server may close on what is no HTTP at all; a body must always be answered.
    heads = [(name, data, statuses | {CLOSED}) for name, data, statuses in malformed_heads(server)]
    return heads + malformed_framing(server) + malformed_bodies(server) + odd_but_allowed(server)
