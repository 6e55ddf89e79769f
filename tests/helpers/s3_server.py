"""An S3 server on the loopback: moto's emulation. Prints its address; logs its requests to a file.

(A program of `stores.py`.)
"""

import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def main(log):
    application = DomainDispatcherApplication(create_backend_app)

    def logging(environ, start_response):
        words = (environ[name] for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING"))
        print(*words, file=file, flush=True)
        return application(environ, start_response)

    with open(log, "w", encoding="utf-8") as file:
        server = make_server("127.0.0.1", 0, logging, threaded=True)
        print(f"http://127.0.0.1:{server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
