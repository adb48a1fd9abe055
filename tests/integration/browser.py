"""A headless Chromium, driven over the DevTools protocol through a pipe. Needs the standard library alone.

    with Browser() as browser:
        page = browser.open("http://127.0.0.1:8080/")
        page.click("#send")
        page.wait("document.title === 'vernal'")
"""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEYS = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "Tab": 9}


def find_browser():
    """The path of a browser, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def apart(descriptor):
    """The same descriptor under a number that the browser does not need (it reads 3 and writes 4)."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


class Browser:
    """Lives in a with block; its profile is a folder that goes with it."""

    def __init__(self, timeout=60):
        self.timeout = timeout
        self.profile = tempfile.TemporaryDirectory(prefix="vernal-browser-", ignore_cleanup_errors=True)
        to_read, self.to_browser = map(apart, os.pipe())
        self.from_browser, to_write = map(apart, os.pipe())

        def connect():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        # Without its own sandbox it also runs in containers and as root; it opens nothing but our own page.
        self.process = subprocess.Popen(
            [find_browser(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=connect, pass_fds=(3, 4), start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self.bytes = b""
        self.last_id = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (OSError, AssertionError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.profile.cleanup()

    def call(self, method, session=None, **params):
        """The result of a method of the protocol."""
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_browser, data):]
        while True:
            message = self.read()
            if message.get("id") == self.last_id:
                assert "error" not in message, (method, message["error"])
                return message["result"]

    def read(self):
        """The next message. Events are kept in `events` too."""
        limit = time.monotonic() + self.timeout
        while b"\0" not in self.bytes:
            ready, _, _ = select.select([self.from_browser], [], [], max(0, limit - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self.from_browser, 1 << 20)
            assert data, "the browser has ended"
            self.bytes += data
        text, self.bytes = self.bytes.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, address):
        """A page in a window of its own storage."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session, address)


class Page:
    def __init__(self, browser, session, address):
        self.browser = browser
        self.session = session
        self.address = address
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.load()

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def load(self):
        """Loads the page, again if it was loaded before."""
        self.call("Page.navigate", url=self.address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression):
        """The value of an expression; of a promise, what it becomes."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, expression, timeout=60):
        """Waits until an expression is true."""
        limit = time.monotonic() + timeout
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < limit, f"{expression} does not become true; the page shows: {self.text('body')}"
            time.sleep(0.02)

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def count(self, selector):
        return self.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length")

    def click(self, selector):
        """Clicks where the element is, as a mouse does: what covers it gets the click."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        place = self.evaluate(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{block: 'nearest'}});
            const {{x, y, width, height}} = element.getBoundingClientRect();
            return {{x: x + width / 2, y: y + height / 2}};
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def write(self, text):
        """Text goes to the field that has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key):
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def resize(self, width, height, is_phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if is_phone else 1,
                  mobile=is_phone)

    def prefer(self, scheme):
        """"light" or "dark", as a system's setting."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def faults(self):
        """What the page threw, and what the browser refused or logged as an error, since it was opened."""
        self.evaluate("0")  # what happened before this has been told when it returns
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                found.append(details.get("exception", {}).get("description") or details["text"])
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(params["entry"]["text"])
        return found
