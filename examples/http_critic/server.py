"""A critic as a service: `python server.py 8000`, then `-T critic=http:http://localhost:8000`."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Critic(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if request["kind"] == "comparison":  # of two responses; null where it cannot tell
            answer = {"decision": None}
        else:
            program = request["draft"]["program"]
            answer = {"text": "There is a program.", "judgement": None}
            if program is None:
                answer = {"text": "There is no program at all.", "judgement": "incorrect"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Critic).serve_forever()
