"""Serve clients that never come, and close after two seconds."""
import signal
import socketserver
import sys

LIFETIME = 2


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline())


signal.signal(signal.SIGALRM, lambda *_: sys.exit())
signal.setitimer(signal.ITIMER_REAL, LIFETIME)
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
    server.serve_forever()
