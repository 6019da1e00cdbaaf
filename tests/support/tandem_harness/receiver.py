"""A webhook receiver that was written from the Standard Webhooks specification, not from our code.

Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` of each call
(https://www.standardwebhooks.com: base64 of HMAC-SHA256 over `id.timestamp.body`), and keeps what
arrived. Can refuse, can be away, and can hang up without an answer.
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import threading
import time

Call = collections.namedtuple("Call", "delivery path time body signed attempt status")


class Receiver:
    """One HTTP server on a port that stays its own while it is away. Thread-safe."""

    def __init__(self, secret=None):
        self.secret = secret
        self.lock = threading.Lock()
        self.calls = []        # every Call, in order; guarded by lock
        self.status = 200      # what is answered; None: the connection is cut in place of an answer
        self.server = None
        self.port = 0
        self.start()

    def start(self):
        """Listens, from the second time on at the same port."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.take(self)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Goes away: connections are refused until `start`."""
        self.server.shutdown()
        self.server.server_close()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}/{path}"

    def take(self, handler):
        """One call: check, keep, answer."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        delivery = handler.headers.get("webhook-id", "")
        with self.lock:
            status = self.status
            attempt = 1 + sum(call.delivery == delivery for call in self.calls[-10_000:])
            self.calls.append(Call(delivery, handler.path.strip("/"), time.time(), body,
                                   self.is_signed(handler.headers, body), attempt, status))
        if status is None:
            handler.close_connection = True
            return
        handler.send_response(status)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def is_signed(self, headers, body):
        """True when one of the signatures fits; None without a secret to check with."""
        if self.secret is None:
            return None
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = (headers.get("webhook-signature") or "").split()
        fresh = abs(time.time() - int(headers.get("webhook-timestamp") or 0)) < 300
        return fresh and any(hmac.compare_digest(g, "v1," + right) for g in given)

    # What arrived.

    def accepted(self):
        """The calls that were answered with success: [Call]."""
        with self.lock:
            return [call for call in self.calls if call.status and call.status < 300]

    def incidents(self):
        """Names of the incidents that were told and accepted, each with its set of delivery ids."""
        told = collections.defaultdict(set)
        for call in self.accepted():
            told[incident_of(call)].add(call.delivery)
        return told


def told_by(call):
    """What the call tells, without the id under which it does: contact, step, time and incident."""
    message = json.loads(call.body)
    message.get("data", {}).pop("delivery_id", None)
    return json.dumps(message, sort_keys=True)


def incident_of(call):
    """The incident's name in the body: `data.incident.name`."""
    data = json.loads(call.body).get("data", {})
    incident = data.get("incident", data)
    return incident.get("name", "")
